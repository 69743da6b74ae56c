"""Fixtures of ops about shapes."""
import numpy as np
from common import Family, tf
from distinct import each
from values import COMPLEX, FLOATS, INTS, random

f = Family("shapes")
i32, i64 = np.int32, np.int64
x = np.arange(6, dtype=np.float32).reshape(2, 3)

for shape in [(), (0,), (2, 3), (1, 2, 1, 4, 2)]:
    for t in [tf.int32, tf.int64]:
        f.case("Shape", {"input": np.zeros(shape, np.float32)}, out_type=t)
        f.case("Size", {"input": np.zeros(shape, np.float32)}, out_type=t)
    f.case("Rank", {"input": np.zeros(shape, np.float32)})
f.case("Shape", {"input": np.array([b"a", b"b"], object)}, out_type=tf.int32)
f.case("ShapeN", {"input": [x, np.zeros((), np.float32), np.zeros((0, 1), np.float32)]}, out_type=tf.int64)

for a, b, c in [(0, 5, 1), (2, 11, 3), (10, 0, -3), (3, 3, 1), (-2, 2, 2)]:
    for d in [i32, i64]:
        f.case("Range", {"start": np.array(a, d), "limit": np.array(b, d), "delta": np.array(c, d)}, const=(0, 1, 2))
for a, b, c in [(0, 1, 0.1), (0.5, 3, 0.7), (1, -1, -0.25), (0, 0, 1)]:
    each(f, "Range", lambda d: {"start": np.array(a, d), "limit": np.array(b, d), "delta": np.array(c, d)}, FLOATS, const=(0, 1, 2))
f.case("Range", {"start": np.array(0, i32), "limit": np.array(4, i32), "delta": np.array(1, i32)})
f.case("Range", {"start": np.array(2 ** 40, i64), "limit": np.array(2 ** 40 + 3, i64), "delta": np.array(1, i64)})
for a, b, n in [(0, 1, 5), (1, -1, 4), (3, 3, 2), (0.1, 0.7, 7), (5, 9, 1)]:
    each(f, "LinSpace", lambda d: {"start": np.array(a, d), "stop": np.array(b, d), "num": np.array(n, i32)}, FLOATS, const=(2,))
f.case("LinSpace", {"start": np.float32(0), "stop": np.float32(1), "num": np.array(3, i64)})

VALUES = [np.array(3).astype(d) for d in FLOATS + INTS] + [np.array(1 + 2j).astype(d) for d in COMPLEX] + [np.array(True), np.array(b"s", object)]
for v in VALUES:
    f.case("Fill", {"dims": np.array([2, 2], i32), "value": v}, const=(0,), unknown=v.dtype == np.float32)
for dims in [[], [0], [2, 1, 3]]:
    f.case("Fill", {"dims": np.array(dims, i64), "value": np.float32(1.5)}, const=(0,))
f.case("Fill", {"dims": np.array([2, 2], i32), "value": np.array(7, i32)}, const=(0, 1))
f.case("Fill", {"dims": np.array([2, 2], i32), "value": np.float32(1)})
f.case("Empty", {"shape": np.array([2, 3], i32)}, const=(0,), dtype=tf.float32, init=True)
f.case("Empty", {"shape": np.array([2], i32)}, dtype=tf.int64, init=True)
for v in VALUES:
    if v.dtype != object:
        f.case("OnesLike", {"x": np.tile(v, (2, 1))}, unknown=v.dtype == np.float32)
        f.case("ZerosLike", {"x": np.tile(v, (2, 1))}, unknown=v.dtype == np.float32)
for shape in [(), (0, 2), (1, 2, 1, 2, 1)]:
    f.case("ZerosLike", {"x": random(shape)})
    f.case("OnesLike", {"x": random(shape)})

for shape, to in [((2, 3), [2, 3]), ((3,), [2, 3]), ((2, 1), [2, 3]), ((), [2, 2]), ((1, 2, 1), [3, 2, 2]), ((1,), [0]), ((1, 1), [2, 2, 1, 3]), ((), [])]:
    n = int(np.prod(shape))
    f.case("BroadcastTo", {"input": np.arange(n, dtype=np.float32).reshape(shape), "shape": np.array(to, i32)}, const=(1,))
f.case("BroadcastTo", {"input": x, "shape": np.array([2, 3], i64)})
for v in VALUES:
    f.case("BroadcastTo", {"input": np.tile(v, (2, 1)), "shape": np.array([2, 2], i32)}, unknown=False)
for a, b in [([2, 3], [2, 3]), ([3], [2, 3]), ([2, 1], [1, 3]), ([], [2]), ([], []), ([1], [0]), ([1, 4, 1], [5, 1, 1, 2]), ([2, 1], [2, 1]), ([1, 1], [1, 3])]:
    for d in [i32, i64]:
        f.case("BroadcastArgs", {"s0": np.array(a, d), "s1": np.array(b, d)})
        f.case("BroadcastGradientArgs", {"s0": np.array(a, d), "s1": np.array(b, d)})
for axis, shapes in [(0, [[2, 3], [1, 3]]), (1, [[2, 1], [2, 4], [2, 2]]), (-1, [[1, 2], [1, 3]])]:
    f.case("ConcatOffset", {"concat_dim": np.array(axis, i32), "shape": [np.array(s, i32) for s in shapes]})
    f.case("ConcatOffset", {"concat_dim": np.array(axis, i32), "shape": [np.array(s, i64) for s in shapes]}, const=(0,))

on, off = np.float32(5), np.float32(-1)
for shape, axis in [((), -1), ((3,), -1), ((3,), 0), ((2, 2), 0), ((2, 2), 1), ((2, 2), 2), ((0,), -1)]:
    idx = (np.arange(int(np.prod(shape))) - 1).reshape(shape)
    for d in [i32, i64]:
        f.case("OneHot", {"indices": idx.astype(d), "depth": np.array(3, i32), "on_value": on, "off_value": off}, const=(1,), axis=axis)
f.case("OneHot", {"indices": np.array([0, 2, 255], np.uint8), "depth": np.array(3, i32), "on_value": on, "off_value": off})
f.case("OneHot", {"indices": np.array([0, 2], i32), "depth": np.array(0, i32), "on_value": on, "off_value": off}, const=(1,))
for v in VALUES:
    f.case("OneHot", {"indices": np.array([1, 0], i32), "depth": np.array(2, i32), "on_value": v, "off_value": np.zeros_like(v) if v.dtype != object else np.array(b"o", object)}, unknown=False)

for src, dst, v in [("NHWC", "NCHW", [1, 2, 3, 4]), ("NCHW", "NHWC", [1, 2, 3, 4]), ("NHWC", "NCHW", [7, 8]), ("NHWC", "HWNC", [1, 2, 3, 4]),
                    ("NHWC", "NCHW", [[1, 2], [3, 4], [5, 6], [7, 8]]), ("NCHW", "NHWC", [[1, 2], [3, 4]]),
                    ("NDHWC", "NCDHW", [1, 2, 3, 4, 5]), ("NDHWC", "NCDHW", [1, 2, 3])]:
    for d in [i32, i64]:
        f.case("DataFormatVecPermute", {"x": np.array(v, d)}, src_format=src, dst_format=dst)
for src, dst in [("NHWC", "NCHW"), ("NCHW", "NHWC"), ("NHWC", "HWNC"), ("NDHWC", "NCDHW")]:
    for v in [[0, 1, 2, 3], [-1, -2, -3, -4], 1]:
        f.case("DataFormatDimMap", {"x": np.array(v, i32)}, src_format=src, dst_format=dst)
f.write()
