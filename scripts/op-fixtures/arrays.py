"""Fixtures of ops that hand tensors on, reshape, join and split them."""
import numpy as np
from common import Family
from distinct import each, some
from values import COMPLEX, FLOATS, random

f = Family("arrays")
i32, i64 = np.int32, np.int64

each(f, "Identity", lambda d: {"input": some((2, 3), d)})
for shape in [(), (0, 2), (1, 2, 1, 2, 3)]:
    f.case("Identity", {"input": some(shape)})
for op in ["StopGradient", "Snapshot", "PreventGradient", "DeepCopy", "DebugGradientIdentity"]:
    f.case(op, {"x" if op == "DeepCopy" else "input": some((2, 3), i32)})
f.case("IdentityN", {"input": [some((2, 3)), some((), i32), some((0,), i64)]})
for d in FLOATS:
    f.case("CheckNumerics", {"tensor": random((2, 3), d)}, message="m")
f.case("CheckNumericsV2", {"tensor": random((4,))}, message="m")
f.case("EnsureShape", {"input": some((2, 3))}, shape=[None, 3])
f.case("EnsureShape", {"input": some((), i32)}, shape=[])

for shape, new in [((2, 3), [3, 2]), ((2, 3), [-1]), ((2, 3), [1, -1, 2]), ((), [1, 1]), ((1, 1), []), ((0, 3), [3, 0]),
                   ((0, 3), [-1, 2]), ((2, 2, 1, 3), [4, -1]), ((4,), [2, 2, 1, 1, 1])]:
    f.case("Reshape", {"tensor": some(shape), "shape": np.array(new, i32)}, const=(1,))
f.case("Reshape", {"tensor": some((2, 6)), "shape": np.array([3, -1], i64)})
each(f, "Reshape", lambda d: {"tensor": some((2, 3), d), "shape": np.array([3, 2], i64)})
for shape, perm in [((2, 3), [1, 0]), ((), []), ((4,), [0]), ((2, 3, 4), [2, 0, 1]), ((2, 1, 3, 2), [3, 1, 0, 2]),
                    ((1, 2, 3, 2, 2), [4, 2, 0, 3, 1]), ((0, 3), [1, 0])]:
    f.case("Transpose", {"x": some(shape), "perm": np.array(perm, i32)}, const=(1,))
f.case("Transpose", {"x": some((2, 3)), "perm": np.array([1, 0], i64)})
f.case("Transpose", {"x": some((2, 3, 4)), "perm": np.array([-1, 0, -2], i32)}, const=(1,))
each(f, "Transpose", lambda d: {"x": some((2, 3, 2), d), "perm": np.array([2, 0, 1], i32)})
each(f, "ConjugateTranspose", lambda d: {"x": some((2, 3), d), "perm": np.array([1, 0], i32)}, [np.float32, i64] + COMPLEX)
for shape, dims in [((1, 3, 1), []), ((1, 3, 1), [0]), ((1, 3, 1), [-1]), ((1, 3, 1), [0, 2]), ((), []), ((1,), []), ((1, 0), [0])]:
    f.case("Squeeze", {"input": some(shape)}, axis=dims)
each(f, "Squeeze", lambda d: {"input": some((2, 1), d)}, axis=[1])
for shape, axis in [((2, 3), 0), ((2, 3), 2), ((2, 3), -1), ((2, 3), -3), ((), 0), ((0,), 1)]:
    f.case("ExpandDims", {"input": some(shape), "axis": np.array(axis, i32)}, const=(1,))
f.case("ExpandDims", {"input": some((2, 3)), "axis": np.array(1, i64)})
each(f, "ExpandDims", lambda d: {"input": some((2,), d), "axis": np.array(0, i32)})
f.case("InvertPermutation", {"x": np.array([2, 0, 1, 3], i32)})
f.case("InvertPermutation", {"x": np.array([1, 0], i64)})
f.case("InvertPermutation", {"x": np.array([], i32)})

for shapes, axis in [(((2,), (3,)), 0), (((2, 1), (2, 3)), 1), (((2, 1), (2, 3), (2, 2)), -1), (((1, 2, 2), (0, 2, 2)), 0),
                     (((2, 1, 2), (2, 2, 2)), -2), (((1, 1, 2, 1, 2), (1, 1, 2, 1, 3)), 4)]:
    args = [some(s) for s in shapes]
    f.case("ConcatV2", {"values": args, "axis": np.array(axis, i32)}, const=(len(args),))
    f.case("Concat", {"concat_dim": np.array(axis, i32), "values": args}, const=(0,))
f.case("ConcatV2", {"values": [some((2,)), some((1,))], "axis": np.array(0, i64)})
f.case("ConcatV2", {"values": [some((2,), i32), some((1,), i32)], "axis": np.array(0, i32)}, const=(0, 2))
f.case("Concat", {"concat_dim": np.array(0, i32), "values": [some((2,)), some((1,))]})
each(f, "ConcatV2", lambda d: {"values": [some((2, 1), d), some((2, 2), d)], "axis": np.array(1, i32)})
f.case("ParallelConcat", {"values": [some((1, 2)), some((1, 2))]}, unknown=False, shape=[2, 2])
for shape, axis, n in [((4, 2), 0, 2), ((2, 6), 1, 3), ((2, 6), -1, 2), ((2, 4, 3), -2, 4), ((0, 2), 0, 2), ((3,), 0, 1)]:
    f.case("Split", {"axis": np.array(axis, i32), "value": some(shape)}, const=(0,), num_split=n)
f.case("Split", {"axis": np.array(0, i32), "value": some((4,))}, num_split=2)
each(f, "Split", lambda d: {"axis": np.array(1, i32), "value": some((2, 4), d)}, num_split=2)
for shape, sizes, axis in [((6,), [1, 2, 3], 0), ((2, 5), [4, 1], 1), ((2, 5), [4, -1], -1), ((3, 2), [-1], 0), ((3, 2), [0, 3], 0)]:
    f.case("SplitV", {"value": some(shape), "size_splits": np.array(sizes, i32), "axis": np.array(axis, i32)}, const=(1, 2),
           num_split=len(sizes))
f.case("SplitV", {"value": some((2, 5)), "size_splits": np.array([4, 1], i64), "axis": np.array(1, i32)}, const=(2,), num_split=2)
f.case("SplitV", {"value": some((2, 5)), "size_splits": np.array([5], i64), "axis": np.array(1, i32)}, const=(2,), num_split=1)
# Not with constant sizes and an axis that is not: TensorFlow then takes the axis for -1.
f.case("SplitV", {"value": some((4,)), "size_splits": np.array([3, 1], i32), "axis": np.array(0, i32)}, num_split=2)
each(f, "SplitV", lambda d: {"value": some((2, 3), d), "size_splits": np.array([2, 1], i32), "axis": np.array(1, i32)}, num_split=2)
for n, shape, axis in [(2, (), 0), (3, (2,), 0), (3, (2,), 1), (2, (2, 3), -1), (1, (2, 3), -2), (2, (0, 2), 1), (2, (2, 1, 2, 1), 2)]:
    f.case("Pack", {"values": [some(shape) + i for i in range(n)]}, axis=axis)
f.case("Pack", {"values": [np.array(5, i32), np.array(7, i32)]}, const=(1,), axis=0)
each(f, "Pack", lambda d: {"values": [some((2,), d), some((2,), d)]}, axis=1)
for shape, axis in [((3,), 0), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), -1), ((2, 3, 2), -2), ((1, 0), 0), ((0, 2), 1)]:
    f.case("Unpack", {"value": some(shape)}, num=shape[axis], axis=axis)
each(f, "Unpack", lambda d: {"value": some((2, 2), d)}, num=2, axis=1)
for shape, times in [((2, 3), [1, 1]), ((2, 3), [2, 1]), ((2, 3), [1, 2]), ((2, 3), [3, 2]), ((), []), ((2,), [0]), ((0, 2), [2, 2]),
                     ((1, 2, 1, 2), [2, 1, 3, 2])]:
    f.case("Tile", {"input": some(shape), "multiples": np.array(times, i32)}, const=(1,))
f.case("Tile", {"input": some((2,)), "multiples": np.array([2], i64)})
each(f, "Tile", lambda d: {"input": some((2, 1), d), "multiples": np.array([1, 2], i32)})

f.write()
