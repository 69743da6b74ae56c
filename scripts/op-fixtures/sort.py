"""Fixtures of searching and sorting."""
import base64

import numpy as np
from common import Family, tf, tf1
from distinct import each, some
from values import COMPLEX, FLOATS, INTS, random, special

f = Family("sort")
i32, i64 = np.int32, np.int64


def first_version(case, k):
    """The case again for TopK, whose kernel TensorFlow has dropped: k is an attribute there."""
    node = tf1.NodeDef.FromString(base64.b64decode(case["node"]))
    node.op = node.name = "TopK"
    del node.input[1:]
    for name in ["Tk", "index_type"]:
        node.attr.pop(name, None)
    node.attr["k"].i = k
    shapes = [{"in": r["in"][:1], "const": [i for i in r["const"] if i == 0], "out": r["out"]} for r in case["shapes"]]
    f.cases.append({"name": "TopK/%d" % sum(c["name"].startswith("TopK/") for c in f.cases), "node": base64.b64encode(node.SerializeToString(deterministic=True)).decode(),
                    "inputs": case["inputs"][:1], "outputs": case["outputs"], "shapes": shapes})


ties = np.array([[1, 3, 3, 0, 2], [5, 5, 5, 5, 5]], np.float32)
for shape, k in [((5,), 2), ((2, 4), 4), ((2, 4), 0), ((2, 1, 3), 1), ((0, 3), 2), ((1, 2, 1, 2, 3), 2)]:
    f.case("TopKV2", {"input": random(shape), "k": np.array(k, i32)}, const=(1,))
    first_version(f.cases[-1], k)
f.case("TopKV2", {"input": ties, "k": np.array(3, i32)})
f.case("TopKV2", {"input": ties, "k": np.array(3, i32)}, const=(1,), index_type=tf.int64)
each(f, "TopKV2", lambda d: {"input": random((2, 5), d), "k": np.array(3, i32)}, FLOATS + INTS)
for shape, k in [((6, 5), 3), ((4,), 4), ((2, 1, 3), 1)]:
    f.case("ApproxTopK", {"input": random(shape)}, k=k)
for d in [np.float32, i32]:
    for n, reverse in [(0, False), (2, False), (1, True)]:
        f.case("NthElement", {"input": random((2, 4), d), "n": np.array(n, i32)}, reverse=reverse)
f.case("NthElement", {"input": random((5,)), "n": np.array(3, i32)})

for x in [[3, 1, 3, 2, 1], [], [7]]:
    for t in [tf.int32, tf.int64]:
        f.case("Unique", {"x": np.array(x, np.float32)}, out_idx=t)
        f.case("UniqueWithCounts", {"x": np.array(x, i32)}, out_idx=t)
f.case("Unique", {"x": np.array([0.0, -0.0, 1, np.inf, np.inf], np.float32)})
f.case("Unique", {"x": np.array([np.nan, 1, np.nan], np.float32)})
for op in ["Unique", "UniqueWithCounts"]:
    each(f, op, lambda d: {"x": np.concatenate([some((3,), d), some((2,), d)])})
m = np.array([[1, 0, 1], [2, 0, 2], [1, 0, 1]], i32)
for op in ["UniqueV2", "UniqueWithCountsV2"]:
    for axis in [0, 1, -1]:
        f.case(op, {"x": m, "axis": np.array([axis], i64)}, const=(1,))
    f.case(op, {"x": np.array([2, 2, 1], np.float32), "axis": np.array([], i64)}, const=(1,))
    f.case(op, {"x": m, "axis": np.array([0], i32)})
    f.case(op, {"x": some((2, 2, 2)), "axis": np.array([1], i32)}, const=(1,))
    f.case(op, {"x": np.array([[b"a", b"b"], [b"a", b"b"]], object), "axis": np.array([0], i32)}, const=(1,))

for shape in [(4,), (2, 3), (2, 1, 3), (1, 2, 1, 2, 2), (0, 2)]:
    f.case("Where", {"condition": some(shape, np.bool_)})
f.case("Where", {"condition": special(np.float32)})
each(f, "Where", lambda d: {"condition": np.array([0, 1, 0, 2], d)}, [np.float32, np.float64] + INTS + COMPLEX + [np.bool_])
for t in [tf.int32, tf.int64]:
    f.case("ListDiff", {"x": np.array([1, 2, 3, 4, 2], i32), "y": np.array([2, 9], i32)}, out_idx=t)
f.case("ListDiff", {"x": np.array([], i32), "y": np.array([2], i32)})
each(f, "ListDiff", lambda d: {"x": some((4,), d), "y": some((2,), d)})

predictions = np.array([[0.1, 0.5, 0.4], [0.3, 0.3, 0.1], [np.inf, 0, 1], [0, np.nan, 1]], np.float32)
for k in [1, 2, 3]:
    for d in [i32, i64]:
        f.case("InTopK", {"predictions": predictions, "targets": np.array([2, 1, 2, 0], d)}, k=k)
        f.case("InTopKV2", {"predictions": predictions, "targets": np.array([1, 2, 0, 2], d), "k": np.array(k, d)})
f.case("InTopK", {"predictions": predictions[:2], "targets": np.array([5, -1], i32)}, k=1)
for op in ["LowerBound", "UpperBound"]:
    for t in [tf.int32, tf.int64]:
        f.case(op, {"sorted_inputs": np.array([[1, 3, 3, 7]], np.float32), "values": np.array([[0, 1, 3, 5, 7, 9]], np.float32)}, out_type=t)
    f.case(op, {"sorted_inputs": np.array([[1, 2], [5, 9]], i32), "values": np.array([[2, 0, 3], [9, 5, 1]], i32)})
    each(f, op, lambda d: {"sorted_inputs": np.array([[1, 2, 5]], d), "values": np.array([[2, 3]], d)}, FLOATS + INTS)
f.write()
