"""Fixtures of gathering, scattering, stitching and partitioning."""
import numpy as np
from common import Family
from distinct import each, some
from values import COMPLEX, FLOATS, INTS

f = Family("gather")
i32, i64 = np.int32, np.int64

for params, idx in [((4,), [0, 3, 1]), ((4, 2), [[1, 2], [0, 0]]), ((3, 2), 2), ((3, 0), [1]), ((2, 1, 3), []), ((2, 2, 1, 2), [[[1]]])]:
    for d in [i32, i64]:
        f.case("Gather", {"params": some(params), "indices": np.array(idx, d)}, unknown=d == i32)
for params, idx, axis, batch in [((4,), [0, 3, 1], 0, 0), ((2, 3), [2, 0], 1, 0), ((2, 3), [[2, 0]], -1, 0), ((2, 3, 4), 1, 1, 0), ((2, 3), [[0], [2]], 1, 1),
                                 ((2, 3, 2), [[0, 1], [2, 2]], 1, 1), ((2, 3, 2), [[0, 1], [1, 1]], 2, 1), ((2, 2, 3), [[[0], [1]], [[2], [0]]], 2, 2),
                                 ((2, 3), [[0], [2]], -1, -1), ((0, 3), [1, 2], 1, 0), ((1, 2, 1, 3, 2), [2, 0], 3, 0)]:
    for d in [i32, i64]:
        f.case("GatherV2", {"params": some(params), "indices": np.array(idx, d), "axis": np.array(axis, d)}, const=(2,), batch_dims=batch, unknown=d == i32)
f.case("GatherV2", {"params": some((2, 3)), "indices": np.array([2, 0], i32), "axis": np.array(1, i32)})
f.case("GatherV2", {"params": some((4,), i32), "indices": np.array([2, 0], i32), "axis": np.array(0, i32)}, const=(0, 1, 2))
each(f, "GatherV2", lambda d: {"params": some((3, 2), d), "indices": np.array([2, 0], i32), "axis": np.array(0, i32)})
for params, idx in [((4,), [[0], [3]]), ((2, 3), [[1, 2], [0, 0]]), ((2, 3), [[1], [0]]), ((2, 3), [[]]), ((2, 3, 2), [[[1, 0]], [[0, 2]]]), ((2,), np.zeros((0, 1))), ((2, 2), [1, 1])]:
    for d in [i32, i64]:
        f.case("GatherNd", {"params": some(params), "indices": np.array(idx).astype(d)}, unknown=d == i32)
f.case("GatherNd", {"params": some((3,)), "indices": np.array([[1], [7], [-1]], i32)}, bad_indices_policy="IGNORE")
each(f, "GatherNd", lambda d: {"params": some((2, 2), d), "indices": np.array([[1, 0]], i32)})

for idx, updates, shape in [([[0], [3]], (2,), [5]), ([[1], [1]], (2, 2), [3, 2]), ([[0, 1], [1, 0]], (2,), [2, 2]), ([[[0], [2]]], (1, 2, 3), [4, 3]), ([[2, 1, 0]], (1,), [3, 2, 1])]:
    for d in [i32, i64]:
        f.case("ScatterNd", {"indices": np.array(idx, d), "updates": some(updates), "shape": np.array(shape, d)}, const=(2,), unknown=d == i32)
f.case("ScatterNd", {"indices": np.array([[0]], i32), "updates": some((1,)), "shape": np.array([3], i32)})
f.case("ScatterNd", {"indices": np.array([[0], [9]], i32), "updates": some((2,)), "shape": np.array([3], i32)}, bad_indices_policy="IGNORE")
each(f, "ScatterNd", lambda d: {"indices": np.array([[1], [1]], i32), "updates": some((2, 2), d), "shape": np.array([2, 2], i32)}, FLOATS + INTS + COMPLEX + [np.bool_])
for op in ["TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMin", "TensorScatterMax"]:
    for x, idx, updates in [((4,), [[1], [3]], (2,)), ((3, 2), [[2], [0]], (2, 2)), ((2, 2), [[0, 1], [0, 1]], (2,)), ((2, 3), [[[0, 1]], [[1, 2]]], (2, 1))]:
        f.case(op, {"tensor": some(x), "indices": np.array(idx, i32), "updates": 10 - some(updates)})
    each(f, op, lambda d: {"tensor": some((3,), d), "indices": np.array([[1], [0]], i64), "updates": some((2,), d)})
f.case("ScatterNdNonAliasingAdd", {"input": some((3,)), "indices": np.array([[1], [1]], i32), "updates": some((2,))})
# These write to their input: as a constant it is a copy.
for op in ["InplaceUpdate", "InplaceAdd", "InplaceSub"]:
    f.case(op, {"x": some((3, 2)), "i": np.array([2, 0], i32), "v": some((2, 2))}, const=(0,))

for op in ["DynamicStitch", "ParallelDynamicStitch"]:
    f.case(op, {"indices": [np.array(0, i32), np.array([2, 1], i32)], "data": [some((2,)), some((2, 2))]}, const=(0, 1))
    f.case(op, {"indices": [np.array([0, 2], i32), np.array([[1], [3]], i32)], "data": [some((2,)), some((2, 1))]})
    f.case(op, {"indices": [np.array([0, 1], i32), np.array([2], i32)], "data": [some((2,), i32), some((1,), i32)]}, const=(0, 1, 2, 3))
    each(f, op, lambda d: {"indices": [np.array([1], i32), np.array([0], i32)], "data": [some((1, 2), d), some((1, 2), d)]})
f.case("DynamicStitch", {"indices": [np.array([0, 1], i32), np.array([1], i32)], "data": [some((2,)), 9 * some((1,))]}, const=(0, 1))
for data, parts, n in [((4,), [0, 1, 1, 0], 2), ((3, 2), [2, 0, 2], 3), ((2, 2), [[0, 1], [1, 0]], 2), ((2, 2, 2), [[0, 1], [1, 0]], 2), ((0, 2), [], 2), ((3,), 0, 1)]:
    if np.ndim(parts) == 0:
        parts = [0, 0, 0]
    f.case("DynamicPartition", {"data": some(data), "partitions": np.array(parts, i32)}, num_partitions=n)
    f.case("DynamicPartition", {"data": some(data), "partitions": np.array(parts, i32)}, const=(1,), num_partitions=n)
each(f, "DynamicPartition", lambda d: {"data": some((3,), d), "partitions": np.array([1, 0, 1], i32)}, num_partitions=2)
f.write()
