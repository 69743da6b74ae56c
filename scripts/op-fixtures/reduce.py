"""Fixtures of reductions, ArgMax and ArgMin, and running totals."""
import numpy as np
from common import Family, tf
from values import COMPLEX, FLOATS, INTS, limits, random, supported

f = Family("reduce")
NUMBERS = FLOATS + INTS + COMPLEX
AXES = [((2, 3, 4), [1], True), ((2, 3, 4), [0, 2], False), ((2, 3, 4), [-1], False), ((2, 3), [0, 1], False), ((3,), 0, False),
        ((2, 3), [], False), ((), [], False), ((0, 3), [0], False), ((0, 3), [1], True), ((2, 0, 2), [1], False),
        ((2, 1, 3, 2, 2), [1, 3], False), ((2, 1, 3, 2, 2), [0, 2, 4], True), ((2, 2), 1, True)]


def shapes(op, dtype, low=-2, high=3):
    for i, (shape, axes, keep) in enumerate(AXES):
        x = random(shape, dtype, low, high)
        f.case(op, {"input": x, "axis": np.array(axes, np.int32)}, const=(1,), keep_dims=keep)
        if i < 6:
            f.case(op, {"input": x, "axis": np.array(axes, np.int64)}, keep_dims=keep)


for op in ["Sum", "Mean", "Prod", "Max", "Min", "EuclideanNorm"]:
    shapes(op, np.float32)
    for d in NUMBERS:
        supported(f, op, {"input": random((2, 3, 2), d), "axis": np.int32([1])}, unknown=False)
        if np.dtype(d).kind in "iu" and op != "EuclideanNorm":
            supported(f, op, {"input": limits(d), "axis": np.int32(0)}, unknown=False)
        supported(f, op, {"input": np.zeros((2, 0), d), "axis": np.int32(1)}, unknown=False)
    for values in [[1, np.nan, 2], [np.inf, 1], [-np.inf, np.inf], [np.nan, np.nan]]:
        f.case(op, {"input": np.float32(values), "axis": np.int32(0)}, unknown=False)
    for d in [np.int32, np.int64]:
        for values in [[2, 3, 4], [0, 5], [7], []]:
            f.case(op, {"input": np.array(values, d), "axis": np.int32([0])}, const=(0, 1))
f.case("Sum", {"input": random((40, 25)), "axis": np.int32([0, 1])}, const=(1,))
f.case("Mean", {"input": random((40, 25)), "axis": np.int32([0])}, const=(1,))
for op in ["All", "Any"]:
    shapes(op, np.bool_)
    for v in (True, False):
        f.case(op, {"input": np.full((2, 3), v), "axis": np.int32([1])})

for op in ["ArgMax", "ArgMin"]:
    for d in FLOATS + INTS + [np.bool_]:
        supported(f, op, {"input": random((3, 4), d, 0, 3), "dimension": np.int32(1)}, unknown=d == np.float32)
    for values in [[np.nan, 1, 2], [1, np.nan], [np.nan, np.nan], [3, 3, 1], [0.0, -0.0], [-np.inf, -np.inf], [np.inf, 1]]:
        f.case(op, {"input": np.float32(values), "dimension": np.int32(0)}, unknown=False)
    for shape, axis in [((2, 3, 4), 0), ((2, 3, 4), -2), ((5,), 0), ((2, 1, 3, 2, 2), 3), ((0, 3), 1)]:
        f.case(op, {"input": random(shape), "dimension": np.int32(axis)}, const=(1,))
        f.case(op, {"input": random(shape), "dimension": np.int64(axis)}, const=(1,), output_type=tf.int32)
f.case("ArgMax", {"input": random((3, 4)), "dimension": np.int32(1)}, const=(1,), output_type=tf.uint16)

for op in ["Cumsum", "Cumprod"]:
    for d in NUMBERS:
        f.case(op, {"x": random((2, 5), d), "axis": np.int32(1)}, unknown=d == np.float32)
        if np.dtype(d).kind in "iu":
            f.case(op, {"x": limits(d), "axis": np.int32(0)}, unknown=False)
for op in ["Cumsum", "Cumprod", "CumulativeLogsumexp"]:
    for shape, axis in [((4,), 0), ((2, 3, 4), 1), ((2, 3, 4), -3), ((0, 2), 0), ((2, 1, 3, 2, 2), 2)]:
        for exclusive in (False, True):
            for reverse in (False, True):
                f.case(op, {"x": random(shape), "axis": np.int32(axis)}, const=(1,), unknown=not exclusive,
                       exclusive=exclusive, reverse=reverse)
for d in FLOATS:
    supported(f, "CumulativeLogsumexp", {"x": random((2, 5), d), "axis": np.int32(1)}, unknown=False)
for d in FLOATS:
    f.case("L2Loss", {"t": random((2, 3), d)})
for shape in [(), (0, 3), (5, 4, 3)]:
    f.case("L2Loss", {"t": random(shape)})
f.write()
