"""Fixtures of ops that trade space for batch or depth."""
import numpy as np
from common import Family
from distinct import each, some

f = Family("space-batch")
i32, i64 = np.int32, np.int64

for shape, block, pads in [((1, 4, 4, 1), [2, 2], [[0, 0], [0, 0]]), ((2, 3, 2, 2), [2, 1], [[1, 0], [0, 0]]), ((1, 3, 5, 1), [2, 3], [[0, 1], [1, 0]]),
                           ((1, 4, 2), [2], [[0, 0]]), ((2, 4), [2], [[1, 1]]), ((1, 2, 2, 2, 1), [2, 1, 2], [[0, 0], [1, 0], [0, 0]]), ((0, 2, 2, 1), [2, 2], [[0, 0], [0, 0]])]:
    for d in [i32, i64]:
        f.case("SpaceToBatchND", {"input": some(shape), "block_shape": np.array(block, d), "paddings": np.array(pads, i32)}, const=(1, 2), unknown=d == i32)
f.case("SpaceToBatchND", {"input": some((1, 4, 4, 1)), "block_shape": np.array([2, 2], i32), "paddings": np.array([[0, 0], [0, 0]], i32)})
f.case("SpaceToBatchND", {"input": some((1, 4, 4, 1)), "block_shape": np.array([2, 2], i32), "paddings": np.array([[0, 0], [0, 0]], i32)}, const=(1,))
for shape, block, crops in [((4, 2, 2, 1), [2, 2], [[0, 0], [0, 0]]), ((4, 1, 2, 2), [2, 1], [[1, 0], [0, 1]]), ((6, 2, 2, 1), [2, 3], [[0, 1], [1, 2]]),
                            ((4, 2, 2), [2], [[0, 0]]), ((2, 4), [2], [[1, 2]]), ((4, 2, 2, 2, 1), [2, 1, 2], [[0, 0], [1, 0], [0, 1]])]:
    for d in [i32, i64]:
        f.case("BatchToSpaceND", {"input": some(shape), "block_shape": np.array(block, d), "crops": np.array(crops, i64)}, const=(1, 2), unknown=d == i32)
f.case("BatchToSpaceND", {"input": some((4, 2, 2, 1)), "block_shape": np.array([2, 2], i32), "crops": np.array([[0, 0], [0, 0]], i32)})
f.case("BatchToSpaceND", {"input": some((4, 2, 2, 1)), "block_shape": np.array([2, 2], i32), "crops": np.array([[0, 0], [0, 0]], i32)}, const=(1,))
zeros = np.zeros((2, 2), i32)
f.case("SpaceToBatch", {"input": some((1, 4, 4, 1)), "paddings": zeros}, const=(1,), block_size=2)
f.case("SpaceToBatch", {"input": some((2, 3, 5, 2)), "paddings": np.array([[1, 0], [0, 1]], i32)}, const=(1,), block_size=2)
f.case("SpaceToBatch", {"input": some((1, 4, 4, 1)), "paddings": zeros}, block_size=2)
f.case("BatchToSpace", {"input": some((4, 2, 2, 1)), "crops": zeros}, const=(1,), block_size=2)
f.case("BatchToSpace", {"input": some((8, 1, 2, 2)), "crops": np.array([[1, 0], [0, 1]], i32)}, const=(1,), block_size=2)
f.case("BatchToSpace", {"input": some((4, 2, 2, 1)), "crops": zeros}, block_size=2)
for shape, b in [((1, 4, 4, 1), 2), ((2, 2, 6, 3), 2), ((1, 3, 3, 2), 3), ((0, 2, 2, 1), 2)]:
    f.case("SpaceToDepth", {"input": some(shape)}, block_size=b)
for shape, b in [((1, 2, 2, 4), 2), ((2, 1, 3, 12), 2), ((1, 1, 1, 18), 3), ((0, 2, 2, 4), 2)]:
    f.case("DepthToSpace", {"input": some(shape)}, block_size=b)
each(f, "SpaceToBatchND", lambda d: {"input": some((1, 3, 2, 1), d), "block_shape": np.array([2, 2], i32), "paddings": np.array([[1, 0], [0, 0]], i32)})
each(f, "BatchToSpaceND", lambda d: {"input": some((4, 1, 2, 1), d), "block_shape": np.array([2, 2], i32), "crops": np.array([[1, 0], [0, 0]], i32)})
each(f, "SpaceToDepth", lambda d: {"input": some((1, 2, 2, 1), d)}, block_size=2)
each(f, "DepthToSpace", lambda d: {"input": some((1, 1, 1, 4), d)}, block_size=2)
f.write()
