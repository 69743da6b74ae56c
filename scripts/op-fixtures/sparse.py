"""Fixtures of sparse tensors."""
import numpy as np
from common import Family
from distinct import each, some
from values import COMPLEX, random

f = Family("sparse")
i32, i64 = np.int32, np.int64

for idx, shape, values in [(2, [4], 5.0), ([0, 3], [5], [1.0, 2.0]), ([[0, 1], [1, 0]], [2, 2], [3.0, 4.0]), ([[0, 1], [2, 0]], [3, 2], 7.0),
                           ([[0, 1, 2]], [1, 2, 3], [1.0]), (np.zeros((0, 2)), [2, 2], [])]:
    for d in [i32, i64]:
        f.case("SparseToDense", {"sparse_indices": np.array(idx).astype(d), "output_shape": np.array(shape, d), "sparse_values": np.array(values, np.float32),
                                 "default_value": np.float32(-1)}, const=(1,), unknown=d == i32)
f.case("SparseToDense", {"sparse_indices": np.array([3, 0, 3], i32), "output_shape": np.array([4], i32), "sparse_values": np.array([1, 2, 3], np.float32),
                         "default_value": np.float32(0)}, validate_indices=False)
each(f, "SparseToDense", lambda d: {"sparse_indices": np.array([[1]], i64), "output_shape": np.array([2], i64), "sparse_values": some((1,), d), "default_value": some((), d)})
for idx, old, new in [([[0, 1], [1, 2]], [2, 3], [3, 2]), ([[0, 1], [1, 2]], [2, 3], [-1]), ([[0], [5]], [6], [2, -1, 3]), (np.zeros((0, 2)), [2, 2], [4])]:
    f.case("SparseReshape", {"input_indices": np.array(idx, i64), "input_shape": np.array(old, i64), "new_shape": np.array(new, i64)}, const=(2,))
for idx, n, shape in [([[0, 1], [3, 0], [3, 2]], 3, [5, 3]), ([[0, 0], [1, 0]], 2, [2, 2]), (np.zeros((0, 2)), 0, [2, 3]), ([[1], [1]], 2, [3])]:
    f.case("SparseFillEmptyRows", {"indices": np.array(idx, i64), "values": some((n,)), "dense_shape": np.array(shape, i64), "default_value": np.float32(-1)}, const=(2,))
f.case("SparseFillEmptyRows", {"indices": np.array([[2, 0], [0, 1]], i64), "values": some((2,)), "dense_shape": np.array([3, 2], i64), "default_value": np.float32(-1)})
each(f, "SparseFillEmptyRows", lambda d: {"indices": np.array([[1, 0]], i64), "values": some((1,), d), "dense_shape": np.array([2, 1], i64), "default_value": some((), d)})
for t, a, b in [(i64, False, False), (i32, True, False), (i64, False, True), (i64, True, True)]:
    left = [3, 2] if a else [2, 3]
    f.case("SparseTensorDenseMatMul", {"a_indices": np.array([[0, 1], [1, 0], [1, 1]], t), "a_values": random((3,)), "a_shape": np.array(left, i64),
                                       "b": random((2, 3) if b else (3, 2))}, const=(2,), adjoint_a=a, adjoint_b=b)
    f.case("SparseTensorDenseMatMul", {"a_indices": np.array([[0, 1], [1, 0]], i64), "a_values": random((2,), np.complex64), "a_shape": np.array(left, i64),
                                       "b": random((2, 3) if b else (3, 2), np.complex64)}, adjoint_a=a, adjoint_b=b)
each(f, "SparseTensorDenseMatMul", lambda d: {"a_indices": np.array([[0, 1]], i64), "a_values": some((1,), d), "a_shape": np.array([2, 2], i64), "b": some((2, 2), d)},
     [np.float32, np.float64, i32] + COMPLEX)
f.case("SparseReorder", {"input_indices": np.array([[2, 0], [0, 1], [0, 0]], i64), "input_values": some((3,)), "input_shape": np.array([3, 2], i64)})
each(f, "SparseReorder", lambda d: {"input_indices": np.array([[1], [0]], i64), "input_values": some((2,), d), "input_shape": np.array([2], i64)})

# What only inference knows.
three = {"indices": np.array([[0, 0], [1, 1]], i64), "values": random((2,)), "shape": np.array([2, 2], i64)}
f.case("SparseSlice", {**three, "start": np.array([0, 0], i64), "size": np.array([1, 2], i64)})
f.case("SparseReduceSum", {"input_indices": three["indices"], "input_values": three["values"], "input_shape": three["shape"], "reduction_axes": np.array([1], i32)}, const=(2, 3))
f.case("SparseReduceSum", {"input_indices": three["indices"], "input_values": three["values"], "input_shape": three["shape"], "reduction_axes": np.array([-1], i32)}, const=(2, 3), keep_dims=True)
f.case("SparseAdd", {"a_indices": three["indices"], "a_values": three["values"], "a_shape": three["shape"], "b_indices": three["indices"], "b_values": three["values"],
                     "b_shape": three["shape"], "thresh": np.float32(0)})
f.case("SparseSoftmax", {"sp_indices": three["indices"], "sp_values": three["values"], "sp_shape": three["shape"]})
f.case("SparseConcat", {"indices": [three["indices"]] * 2, "values": [three["values"]] * 2, "shapes": [three["shape"]] * 2}, concat_dim=0)
f.write()
