"""Fixtures of reductions over segments, and of counts."""
import numpy as np
from common import Family
from distinct import each
from values import COMPLEX, FLOATS, INTS, random

f = Family("segments")
i32, i64 = np.int32, np.int64

for op in ["SegmentSum", "SegmentMean", "SegmentProd", "SegmentMin", "SegmentMax"]:
    for shape, ids in [((4,), [0, 0, 1, 1]), ((4, 2), [0, 2, 2, 5]), ((3, 2, 2), [1, 1, 1]), ((0, 2), []), ((2, 0), [0, 1])]:
        for d in [i32, i64]:
            f.case(op, {"data": random(shape), "segment_ids": np.array(ids, d)}, unknown=d == i32)
    each(f, op, lambda d: {"data": random((4, 2), d), "segment_ids": np.array([0, 0, 2, 2], i32)}, FLOATS + INTS + COMPLEX)
for op in ["UnsortedSegmentSum", "UnsortedSegmentProd", "UnsortedSegmentMin", "UnsortedSegmentMax"]:
    for shape, ids, n in [((4,), [1, 0, 1, -1], 3), ((4, 2), [3, 0, 0, 3], 4), ((2, 2, 2), [[0, 1], [1, 0]], 2), ((2, 2), [[0, 2], [2, 1]], 3), ((0, 2), [], 2)]:
        for d in [i32, i64]:
            f.case(op, {"data": random(shape), "segment_ids": np.array(ids, d), "num_segments": np.array(n, i32)}, const=(2,), unknown=d == i32)
    f.case(op, {"data": random((3,)), "segment_ids": np.array([0, 1, 0], i32), "num_segments": np.array(2, i64)})
    each(f, op, lambda d: {"data": random((4, 2), d), "segment_ids": np.array([2, 0, 2, 0], i32), "num_segments": np.array(4, i32)}, FLOATS + INTS + COMPLEX)
for op in ["SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN"]:
    for shape, rows, ids in [((4,), [3, 1, 1], [0, 0, 1]), ((3, 2), [0, 2, 1, 0], [0, 2, 2, 2]), ((2, 2), [], [])]:
        for d in [i32, i64]:
            args = {"data": random(shape), "indices": np.array(rows, d), "segment_ids": np.array(ids, i32)}
            f.case(op, args, unknown=d == i32)
            f.case(op + "WithNumSegments", {**args, "num_segments": np.array(5, i32)}, const=(3,), unknown=d == i32)
    f.case(op + "WithNumSegments", {"data": random((3,)), "indices": np.array([0, 2], i32), "segment_ids": np.array([0, 1], i64), "num_segments": np.array(2, i64)})
    each(f, op, lambda d: {"data": random((3, 2), d), "indices": np.array([2, 0, 1], i32), "segment_ids": np.array([0, 0, 1], i32)}, FLOATS + INTS)

for d in [np.float32, np.float64, i32, i64]:
    f.case("Bincount", {"arr": np.array([[1, 2, 2], [0, 9, 2]], i32), "size": np.array(4, i32), "weights": np.zeros((0,), d)}, const=(1,))
    f.case("Bincount", {"arr": np.array([1, 2, 2], i32), "size": np.array(3, i32), "weights": np.array([2, 3, 4], d)}, const=(1,))
    for binary in [False, True]:
        f.case("DenseBincount", {"input": np.array([1, 2, 2, 7], i32), "size": np.array(4, i32), "weights": np.zeros((0,), d)}, const=(1,), binary_output=binary)
        f.case("DenseBincount", {"input": np.array([[1, 2, 2], [0, 0, 5]], i64), "size": np.array(3, i64), "weights": np.zeros((0,), d)}, const=(1,), binary_output=binary)
    f.case("DenseBincount", {"input": np.array([[1, 2, 2], [0, 0, 5]], i32), "size": np.array(3, i32), "weights": np.array([[1, 2, 3], [4, 5, 6]], d)})
f.case("Bincount", {"arr": np.array([1], i32), "size": np.array(3, i32), "weights": np.zeros((0,), np.float32)})
for shape in [(), (5,), (2, 3), (0, 2)]:
    f.case("Bucketize", {"input": random(shape)}, boundaries=[-2.0, -0.5, 0.0, 1.5])
each(f, "Bucketize", lambda d: {"input": np.array([0, 1, 2, 3, 7], d)}, [np.float32, np.float64, i32, i64], boundaries=[1.0, 2.0, 2.0, 7.0])
f.case("Bucketize", {"input": np.array([3, 2 ** 30 + 1], i32)}, boundaries=[])
f.case("Bucketize", {"input": np.array([2 ** 30 + 1], i32)}, boundaries=[2.0 ** 30])
f.write()
