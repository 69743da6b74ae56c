"""Fixtures of ops that cut, pad, turn and rearrange one tensor."""
import itertools
import numpy as np
from common import Family
from distinct import EVERY, each, some

f = Family("slices")
i32, i64 = np.int32, np.int64

for shape, begin, size in [((4,), [1], [2]), ((4,), [1], [-1]), ((3, 4), [0, 1], [2, -1]), ((3, 4), [3, 0], [0, 4]), ((), [], []),
                           ((2, 3, 2, 2, 2), [1, 0, 1, 0, 0], [1, 2, 1, -1, 2]), ((0, 2), [0, 0], [0, 1])]:
    for d in [i32, i64]:
        f.case("Slice", {"input": some(shape), "begin": np.array(begin, d), "size": np.array(size, d)}, const=(1, 2), unknown=d == i32)
f.case("Slice", {"input": some((3, 4)), "begin": np.array([0, 1], i32), "size": np.array([2, 2], i32)})
f.case("Slice", {"input": some((3, 4)), "begin": np.array([0, 1], i32), "size": np.array([2, -1], i32)}, const=(2,))
f.case("Slice", {"input": some((3, 4)), "begin": np.array([0, 1], i32), "size": np.array([2, 3], i32)}, const=(1,))
f.case("Slice", {"input": some((4,), i32), "begin": np.array([1], i32), "size": np.array([2], i32)}, const=(0, 1, 2))
each(f, "Slice", lambda d: {"input": some((3, 4), d), "begin": np.array([1, 1], i32), "size": np.array([2, 2], i32)})


def strided(shape, begin, end, strides, const=(1, 2, 3), dtype=np.float32, index=i32, **masks):
    f.case("StridedSlice", {"input": some(shape, dtype), "begin": np.array(begin, index), "end": np.array(end, index),
                            "strides": np.array(strides, index)}, const=const, unknown=dtype == np.float32, **masks)


# One dimension: every kind of bound and direction.
for b, e, s in [(0, 5, 1), (1, 4, 1), (-3, -1, 1), (0, 100, 2), (-100, 3, 1), (4, 0, -1), (4, -100, -2), (100, 1, -1), (2, 2, 1), (3, 1, 1),
                (1, 3, -1), (0, 5, 3), (4, 0, -3)]:
    for begin_mask, end_mask in itertools.product([0, 1], repeat=2):
        strided((5,), [b], [e], [s], begin_mask=begin_mask, end_mask=end_mask)
for b in [0, 2, -1, -5]:
    strided((5,), [b], [b + 1], [1], shrink_axis_mask=1)
    strided((5,), [b], [b + 1], [1], shrink_axis_mask=1, begin_mask=1, end_mask=1)
# Several: ellipsis, new axes, removed axes.
s4 = (2, 3, 2, 4)
strided(s4, [1, 0], [2, 2], [1, 1])
strided(s4, [0, 1], [0, 3], [1, 1], ellipsis_mask=1)
strided(s4, [1, 0, 1], [2, 0, 3], [1, 1, 1], ellipsis_mask=2)
strided(s4, [1, 0, 1], [2, 0, 3], [1, 1, 1], ellipsis_mask=2, shrink_axis_mask=1)
strided(s4, [1, 0, 1], [2, 0, 3], [1, 1, 1], ellipsis_mask=2, shrink_axis_mask=4)
strided(s4, [0, 0], [2, 0], [1, 1], ellipsis_mask=2)
strided(s4, [0, 0], [0, 0], [1, 1], new_axis_mask=1, begin_mask=2, end_mask=2)
strided(s4, [0, 0, 0], [0, 0, 0], [1, 1, 1], ellipsis_mask=1, new_axis_mask=2, shrink_axis_mask=4)
strided(s4, [0, 0, 1, 0], [0, 0, 2, 0], [1, 1, 1, 1], new_axis_mask=9, ellipsis_mask=2)
strided(s4, [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], ellipsis_mask=4, begin_mask=27, end_mask=27)
strided(s4, [0, 0, 0], [0, 0, 0], [1, 1, 1], new_axis_mask=3, begin_mask=7, end_mask=7)
strided(s4, [0, 0, 0], [0, 0, 0], [1, 1, 1], ellipsis_mask=2, new_axis_mask=2, begin_mask=7, end_mask=7)
strided(s4, [1, 0], [2, 1], [1, 1], new_axis_mask=1, shrink_axis_mask=3)
strided(s4, [1, 2, 0, -1], [2, 0, 2, -5], [1, -1, 1, -2], end_mask=8)
strided(s4, [1, 2, 0, -1], [2, 3, 1, 0], [1, 1, 1, 1], shrink_axis_mask=15)
# `...` that stands for no axis.
strided((5,), [0, 1], [0, 4], [1, 1], ellipsis_mask=1)
strided((5, 3), [1, 0, 0], [3, 0, 2], [1, 1, 1], ellipsis_mask=2, begin_mask=4)
# More axes than TFLite's kernel takes.
s6 = (2, 3, 1, 2, 1, 2)
strided(s6, [-1], [0], [1], end_mask=1)
strided(s6, [1, -1], [2, -4], [1, -2], shrink_axis_mask=1)
strided((3, 0, 2), [0, 0], [2, 0], [1, 1])
strided((), [0], [0], [1], new_axis_mask=1)
strided((), [0], [0], [1], ellipsis_mask=1)
strided((), [], [], [])
strided((4, 3), [], [], [])
strided((2, 1, 2, 3, 2), [0, 0, 1, 0, 0], [2, 1, 2, 3, 1], [1, 1, 1, 2, 1])
# Bounds that are not constant.
strided((5, 3), [1], [3], [1], const=(3,))
strided((5, 3), [1], [3], [1], const=(3,), begin_mask=1, end_mask=1)
strided((5, 3), [1], [2], [1], const=(3,), shrink_axis_mask=1)
strided((5, 3), [1, 0], [2, 2], [1, 1], const=(3,), shrink_axis_mask=1)
strided((5, 3), [0, 0], [2, 2], [1, 1], const=(3,), ellipsis_mask=1)
strided((5, 3), [1], [2], [1], const=())
strided((5,), [1], [4], [1], index=i64)
strided((5,), [1], [4], [1], const=(0, 1, 2, 3), dtype=i32)
for d in EVERY:
    strided((3, 4), [2, 1], [0, 4], [-1, 2], dtype=d)
strided((3,), [0], [2], [1], const=(0, 1, 2, 3), dtype=i32, shrink_axis_mask=1)
f.case("StridedSliceGrad", {"shape": np.array([3, 4], i32), "begin": np.array([0, 1], i32), "end": np.array([2, 4], i32),
                            "strides": np.array([1, 2], i32), "dy": some((2, 2))}, const=(0, 1, 2, 3))
f.case("StridedSliceGrad", {"shape": np.array([3, 4], i32), "begin": np.array([1, 3], i32), "end": np.array([2, -5], i32),
                            "strides": np.array([1, -1], i32), "dy": some((4,))}, shrink_axis_mask=1)
for d in [np.float32, i32, np.bool_, object]:
    f.case("TensorStridedSliceUpdate", {"input": some((3, 4), d), "begin": np.array([0, 1], i32), "end": np.array([2, 4], i32),
                                        "strides": np.array([1, 2], i32), "value": some((2, 2), d)}, unknown=d == np.float32)

for shape, pads in [((3,), [[1, 2]]), ((2, 3), [[0, 1], [2, 0]]), ((2, 3), [[0, 0], [0, 0]]), ((), np.zeros((0, 2))), ((0, 2), [[1, 1], [0, 0]]),
                    ((1, 2, 1, 2, 1), [[0, 1], [1, 0], [0, 0], [1, 1], [0, 2]])]:
    for d in [i32, i64]:
        f.case("Pad", {"input": some(shape), "paddings": np.array(pads, d).reshape(-1, 2)}, const=(1,), unknown=d == i32)
        f.case("PadV2", {"input": some(shape), "paddings": np.array(pads, d).reshape(-1, 2), "constant_values": np.float32(-1)}, const=(1,), unknown=d == i32)
f.case("Pad", {"input": some((2, 3)), "paddings": np.array([[0, 1], [2, 0]], i32)})
each(f, "Pad", lambda d: {"input": some((2, 2), d), "paddings": np.array([[0, 1], [1, 0]], i32)})
each(f, "PadV2", lambda d: {"input": some((2, 2), d), "paddings": np.array([[0, 1], [1, 0]], i32), "constant_values": some((), d)})
for mode in ["REFLECT", "SYMMETRIC"]:
    for shape, pads in [((3,), [[2, 1]]), ((2, 3), [[1, 0], [2, 2]]), ((2, 3), [[0, 0], [0, 0]]), ((2, 2, 2, 2), [[1, 1], [0, 1], [1, 0], [0, 0]])]:
        f.case("MirrorPad", {"input": some(shape), "paddings": np.array(pads, i32)}, const=(1,), mode=mode)
    each(f, "MirrorPad", lambda d: {"input": some((2, 2), d), "paddings": np.array([[0, 1], [1, 0]], i64)}, mode=mode)
f.case("MirrorPad", {"input": some((3,)), "paddings": np.array([[3, 3]], i32)}, mode="SYMMETRIC")

for shape, axes in [((3,), [0]), ((2, 3), []), ((2, 3), [1]), ((2, 3), [0, -1]), ((), []), ((2, 0), [1]), ((2, 1, 3, 2, 2), [0, 2, 4])]:
    f.case("ReverseV2", {"tensor": some(shape), "axis": np.array(axes, i32)}, const=(1,))
    mask = np.zeros(len(shape), bool)
    mask[axes] = True
    f.case("Reverse", {"tensor": some(shape), "dims": mask}, const=(1,))
f.case("ReverseV2", {"tensor": some((2, 3)), "axis": np.array([1], i64)})
each(f, "ReverseV2", lambda d: {"tensor": some((2, 3), d), "axis": np.array([1], i32)})
for shape, lengths, seq, batch in [((2, 3), [2, 3], 1, 0), ((3, 2), [0, 2], 0, 1), ((2, 4, 2), [1, 3], 1, 0), ((4, 2, 2), [3, 4], 0, 2), ((0, 3), [], 1, 0)]:
    for d in [i32, i64]:
        f.case("ReverseSequence", {"input": some(shape), "seq_lengths": np.array(lengths, d)}, seq_dim=seq, batch_dim=batch, unknown=d == i32)
each(f, "ReverseSequence", lambda d: {"input": some((2, 3), d), "seq_lengths": np.array([2, 3], i32)}, seq_dim=1, batch_dim=0)
for shape, shift, axis in [((5,), 2, 0), ((5,), -1, 0), ((5,), 7, 0), ((2, 3), [1, 1], [0, 1]), ((2, 3), [1, 2], [1, 1]), ((2, 3, 2), [-1], [-2]), ((0, 2), 1, 1),
                           ((2, 3), 0, 1)]:
    f.case("Roll", {"input": some(shape), "shift": np.array(shift, i32), "axis": np.array(axis, i64)}, const=(1, 2))
for shift, axis in [([1, 3, -2], [0, 1, 1]), ([-1], [-1]), (4, 0)]:
    f.case("Roll", {"input": some((2, 4, 3)), "shift": np.array(shift, i32), "axis": np.array(axis, i32)})
each(f, "Roll", lambda d: {"input": some((2, 3), d), "shift": np.array(1, i32), "axis": np.array(1, i32)})
f.write()
