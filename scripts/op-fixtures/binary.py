"""Fixtures of arithmetic, comparison, logic and selection."""
import numpy as np
from common import Family
from values import BF16, COMPLEX, FLOATS, INTS, SIGNED, complexes, limits, random, special, strings, supported

f = Family("binary")

SHAPES = [((), ()), ((3,), ()), ((2, 3), (3,)), ((2, 1, 3), (4, 1)), ((0, 2), (1, 2)), ((2, 1, 2, 1, 3), (1, 3, 1, 2, 3)),
          ((4,), (2, 1, 1)), ((1,), (1, 1)), ((2, 3, 2), (2, 3, 2))]


def pairs(values, by=5):
    """Every value against some others, so that unlike ones meet."""
    x = np.concatenate([values] * by)
    y = np.concatenate([np.roll(values, 2 * i + 1) for i in range(by)])
    return x, y


def nonzero(y):
    return np.where(y == 0, np.ones_like(y), y)


def each(op, dtypes, names=("x", "y"), divide=False, exponent=False, **attrs):
    a, b = names
    for i, d in enumerate(dtypes):
        kind = np.dtype(d).kind
        if d == np.bool_:
            x, y = np.array([True, True, False, False]), np.array([True, False, True, False])
        elif kind in "iu":
            x, y = pairs(limits(d))
            if divide:
                y = nonzero(y)
                x = np.where((y == -1) & (x == np.iinfo(d).min), 5, x).astype(d) if kind == "i" else x
            if exponent:
                y = (y % 6).astype(d)
        elif kind == "c":
            x, y = pairs(complexes(d), 3)
            if divide or exponent:
                y = nonzero(y)
        else:
            x, y = pairs(special(d))
        supported(f, op, {a: x, b: y}, unknown=False, **attrs)
    first = dtypes[0]
    for k, (s, t) in enumerate(SHAPES):
        y = random(t, first, 1, 4, seed=2)
        f.case(op, {a: random(s, first, seed=1), b: y}, **attrs)
    f.case(op, {a: random((2, 3), first), b: random((3,), first, 1, 4)}, const=(1,), **attrs)


NUMBERS = FLOATS + INTS + COMPLEX
for op in ["Add", "AddV2", "Sub", "Mul"]:
    each(op, NUMBERS)
each("RealDiv", FLOATS + COMPLEX, divide=True)
for op in ["Div", "TruncateDiv", "FloorDiv", "FloorMod", "Mod", "TruncateMod"]:
    each(op, FLOATS + INTS + (COMPLEX if op == "Div" else []), divide=True)
for op in ["DivNoNan", "MulNoNan", "Xdivy", "Xlogy", "Xlog1py"]:
    each(op, FLOATS + COMPLEX)
each("Pow", FLOATS + SIGNED + COMPLEX, exponent=True)
each("SquaredDifference", FLOATS + [np.int32, np.int64] + COMPLEX)
for op in ["Maximum", "Minimum"]:
    each(op, FLOATS + INTS)
each("Atan2", FLOATS, names=("y", "x"))
each("NextAfter", FLOATS[:2], names=("x1", "x2"))
each("Igamma", FLOATS[:1], names=("a", "x"))
each("Zeta", FLOATS[:1], names=("x", "q"))
each("Polygamma", FLOATS[:1], names=("a", "x"))
for op in ["Equal", "NotEqual"]:
    each(op, FLOATS + INTS + COMPLEX + [np.bool_])
    f.case(op, {"x": strings("a", "b", ""), "y": strings("a", "c", "")})
    f.case(op, {"x": strings("a", "b"), "y": strings("b").reshape(())})
    for s, t in [((2, 3), (2, 4)), ((2, 3), (3,)), ((2,), (2,))]:
        f.case(op, {"x": random(s), "y": random(t)}, incompatible_shape_error=False)
for op in ["Less", "LessEqual", "Greater", "GreaterEqual"]:
    each(op, FLOATS + INTS)
f.case("ApproximateEqual", {"x": np.float32([1, 2, 3]), "y": np.float32([1.000001, 2.1, 3.00002])})
f.case("ApproximateEqual", {"x": np.array([1.0, 2.0]), "y": np.array([1.05, 2.2])}, tolerance=0.1)
for op in ["LogicalAnd", "LogicalOr"]:
    each(op, [np.bool_])
for x in [np.float32(0), np.float32(-2), np.int32(0), np.int64(5), np.array(False), np.array(True), strings("").reshape(()),
          strings("a").reshape(()), np.zeros((0, 2), np.float32), np.zeros((2,), np.int32)]:
    f.case("ToBool", {"input": x})
for op in ["BitwiseAnd", "BitwiseOr", "BitwiseXor", "LeftShift", "RightShift"]:
    each(op, INTS)
for x, y in [(strings("a", "b"), strings("c").reshape(())), (strings("x", "").reshape(2, 1), strings("1", "2", "é"))]:
    f.case("Add", {"x": x, "y": y})

# Shape arithmetic: known elements that meet unknown ones.
for op in ["Add", "AddV2", "Sub", "Mul", "FloorDiv", "FloorMod", "Div", "TruncateDiv", "Mod", "Maximum", "Minimum"]:
    for d in [np.int32, np.int64]:
        f.case(op, {"x": np.array([2, 0, 7, -7], d), "y": np.array([3, 5, 2, 2], d)}, const=(0,))
        f.case(op, {"x": np.array(7, d), "y": np.array([3, 5], d)}, const=(0, 1))
f.case("Mul", {"x": np.int32([2**30, 5]), "y": np.int32([8, 5])}, const=(0, 1))

for d in NUMBERS:
    supported(f, "AddN", {"inputs": [random((2, 3), d, seed=s) for s in range(3)]}, unknown=d == np.float32)
for n in [1, 2, 8, 9, 10, 17, 20]:
    f.case("AddN", {"inputs": [random((3,), np.float32, -1000, 1000, seed=s) for s in range(n)]})
f.case("AddN", {"inputs": [np.int32([1, 2]), np.int32([3, 4])]}, const=(0, 1))
f.case("AccumulateNV2", {"inputs": [random((2, 3)), random((2, 3))]}, shape=[2, 3])

for d in NUMBERS:
    supported(f, "BiasAdd", {"value": random((2, 2, 3), d), "bias": random((3,), d)}, unknown=d == np.float32)
for shape, fmt in [((2, 3), "NHWC"), ((2, 4, 5, 3), "NHWC"), ((2, 3, 4, 5), "NCHW"), ((2, 3, 4), "NCHW"), ((0, 2, 2, 3), "NHWC"),
                   ((1, 2, 2, 2, 3), "NHWC"), ((1, 3, 2, 2, 2), "NCHW")]:
    f.case("BiasAdd", {"value": random(shape), "bias": random((3,))}, data_format=fmt)
    f.case("BiasAddGrad", {"out_backprop": random(shape)}, data_format=fmt)
for d in FLOATS + [np.int32]:
    f.case("BiasAddGrad", {"out_backprop": random((2, 2, 3), d)})
f.case("BiasAddV1", {"value": random((2, 2, 3)), "bias": random((3,))})

for d in NUMBERS + [np.bool_]:
    yes, no = random((2, 3), d, seed=1), random((2, 3), d, seed=2)
    f.case("Select", {"condition": random((2, 3), np.bool_), "x": yes, "y": no}, unknown=d == np.float32)
    f.case("SelectV2", {"condition": random((2, 3), np.bool_), "t": yes, "e": no}, unknown=d == np.float32)
for c, s in [((), (2, 3)), ((2,), (2, 3)), ((2,), (2,)), ((), ()), ((2,), (2, 1, 3)), ((0,), (0, 2)), ((2, 1, 2, 1, 2), (2, 1, 2, 1, 2))]:
    f.case("Select", {"condition": random(c, np.bool_), "x": random(s, seed=1), "y": random(s, seed=2)})
for c, s, t in [((), (2, 3), (3,)), ((2, 1), (3,), ()), ((3,), (2, 3), (2, 1)), ((), (), ()), ((1, 2), (0, 2), ()),
                ((2, 1, 1, 1, 2), (1, 3, 1, 2, 1), (2,))]:
    f.case("SelectV2", {"condition": random(c, np.bool_), "t": random(s, seed=1), "e": random(t, seed=2)})
for op, t, e in [("Select", "x", "y"), ("SelectV2", "t", "e")]:
    f.case(op, {"condition": np.array([True, False]), t: strings("a", "b"), e: strings("c", "d")})
    f.case(op, {"condition": np.array([True, False, True]), t: np.int32([1, 2, 3]), e: np.int32([4, 2, 6])}, const=(1, 2))
    f.case(op, {"condition": np.array(True), t: np.int64([1, 2]), e: np.int64([4, 2])}, const=(0, 1))

for d in FLOATS + INTS:
    supported(f, "ClipByValue", {"t": special(d) if np.dtype(d).kind not in "iu" else limits(d), "clip_value_min": np.array(1, d),
                                 "clip_value_max": np.array(4, d)}, unknown=d == np.float32)
f.case("ClipByValue", {"t": random((2, 3)), "clip_value_min": np.float32(-1), "clip_value_max": random((2, 3), low=0)})
f.case("ClipByValue", {"t": random((2, 3)), "clip_value_min": random((2, 3), low=-3, high=-2), "clip_value_max": random((2, 3), low=0)})
f.case("ClipByValue", {"t": random((2, 3)), "clip_value_min": random((2, 3), low=-3, high=-2), "clip_value_max": np.float32(0)})
f.write()
