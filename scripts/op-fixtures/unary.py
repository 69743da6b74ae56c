"""Fixtures of the elementwise ops of one operand, casts included."""
import numpy as np
from common import Family, tf
from values import BF16, COMPLEX, FLOATS, INTS, SIGNED, complexes, limits, random, special, supported

f = Family("unary")


def each(op, dtypes, name="x", **attrs):
    """Special values in every dtype; further shapes in the first."""
    for i, d in enumerate(dtypes):
        kind = np.dtype(d).kind
        values = (np.array([True, False, True]) if d == np.bool_ else limits(d) if kind in "iu"
                  else complexes(d) if kind == "c" else special(d))
        supported(f, op, {name: values}, unknown=i == 0, **attrs)
    for shape in [(), (0, 3), (2, 1, 3, 2, 2)]:
        f.case(op, {name: random(shape, dtypes[0])}, **attrs)


EVERY = FLOATS + COMPLEX
each("Abs", FLOATS + SIGNED)
each("Neg", EVERY + SIGNED)
each("Sign", EVERY + SIGNED)
each("Square", EVERY + INTS)
for op in ["Ceil", "Floor", "Rint"]:
    each(op, FLOATS)
each("Round", FLOATS)  # the integer kernels of 2.21 return zeros
for op in ["IsFinite", "IsInf", "IsNan"]:
    each(op, FLOATS)
for op in ["Exp", "Expm1", "Log", "Log1p", "Sqrt", "Rsqrt", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Tanh", "Sigmoid"]:
    each(op, EVERY)
for op in ["Asin", "Acos", "Atan", "Asinh", "Acosh", "Atanh"]:
    each(op, FLOATS)
for op in ["Reciprocal", "Inv"]:
    each(op, EVERY)
for op in ["Erfc", "Lgamma", "Digamma"]:
    each(op, FLOATS)
each("Erf", [np.float32, np.float16, BF16])
f.case("Erf", {"x": special(np.float64)[:26]})  # its float64 kernel makes NaN of infinity
for op in ["Erfinv", "Ndtri"]:
    for d in [np.float32, np.float64]:
        f.case(op, {"x": np.array([0.0, 0.1, 0.25, 0.5, 0.75, 0.999, 1.0, 0.01], d)})
        f.case(op, {"x": random((3, 2), d, 0, 1)})
each("LogicalNot", [np.bool_])
each("Invert", INTS)
each("PopulationCount", INTS)
for op in ["BesselI0e", "BesselI1e", "BesselI0", "BesselJ0", "Spence", "Expint", "Dawsn"]:
    for shape in [(3, 2), ()]:
        f.case(op, {"x": random(shape)})

# Activations and the gradients that inference graphs keep.
for op in ["Relu", "Relu6"]:
    each(op, FLOATS + INTS, "features")
for op in ["Elu", "Selu", "Softplus", "Softsign"]:
    each(op, FLOATS, "features")
each("LeakyRelu", FLOATS, "features")
each("LeakyRelu", FLOATS, "features", alpha=0.01)
each("LeakyRelu", FLOATS[:1], "features", alpha=1.5)
for op, first, second in [("ReluGrad", "gradients", "features"), ("Relu6Grad", "gradients", "features"),
                          ("LeakyReluGrad", "gradients", "features"), ("EluGrad", "gradients", "outputs"),
                          ("SeluGrad", "gradients", "outputs"), ("SoftplusGrad", "gradients", "features"),
                          ("SoftsignGrad", "gradients", "features"), ("SigmoidGrad", "y", "dy"),
                          ("TanhGrad", "y", "dy"), ("SqrtGrad", "y", "dy"), ("RsqrtGrad", "y", "dy"),
                          ("ReciprocalGrad", "y", "dy"), ("InvGrad", "y", "dy")]:
    for d in FLOATS:
        supported(f, op, {first: random((2, 3), d, seed=1), second: random((2, 3), d, seed=2)}, unknown=d == np.float32)
    f.case(op, {first: np.float32(2), second: np.float32(-0.5)})

# Cast. Values outside of an integer's range are undefined behaviour that differs with the tensor's size in
# TensorFlow itself; single elements show the plain C conversion.
ALL = [np.bool_] + INTS + FLOATS + COMPLEX


def ordinary(d):
    kind = np.dtype(d).kind
    if d == np.bool_:
        return np.array([True, False, True])
    if kind in "iu":
        return limits(d)
    if kind == "c":
        return np.array([0, 1.5 + 1j, 100.99, 7 - 2j, 0.25j], d)
    return np.array([0, -0.0, 0.49, 0.5, 1.5, 2.5, 3.99, 100, 126.7, 1.0009765625, 1.00390625, 1.01171875], d)


for src in ALL:
    for dst in ALL:
        if src != dst:
            supported(f, "Cast", {"x": ordinary(src)}, unknown=False, DstT=tf.as_dtype(dst))
for dst in FLOATS + [np.bool_]:
    for src in FLOATS + COMPLEX:
        if src != dst:
            f.case("Cast", {"x": np.array([np.inf, -np.inf, np.nan, -1.5, 65519, 65520, 1e30, 3.3e38], src)},
                   unknown=False, DstT=tf.as_dtype(dst))
for dst in INTS:
    for src in [np.float32, np.float64]:
        for v in [-1.5, 200.7, 300.0, -129.0, 40000.0, -40000.0, 3e9, 5e9, -3e9, 1e19, 1e20, -1e20, np.inf, np.nan]:
            f.case("Cast", {"x": np.array(v, src)}, unknown=False, DstT=tf.as_dtype(dst))
big = np.array([2**53 + 1, 2**62 + 2**38, 2**62 + 2**38 + 1, -(2**62 + 2**38 + 1), 2**24 + 1, 2**24 + 3, -(2**63)], np.int64)
for dst in FLOATS:
    f.case("Cast", {"x": big}, DstT=tf.as_dtype(dst))
    f.case("Cast", {"x": np.array([2**64 - 1, 2**63 + 2**39, 2**63 + 2**39 + 1], np.uint64)}, DstT=tf.as_dtype(dst))
f.case("Cast", {"x": random((2, 3))}, DstT=tf.bfloat16, Truncate=True)
f.case("Cast", {"x": random((2, 3))}, DstT=tf.float32)
f.case("Cast", {"x": np.zeros((0, 2), np.int32)}, DstT=tf.float32)
f.case("Cast", {"x": np.int64(7)}, DstT=tf.int32)

# Bitcast: same size, to smaller (an axis more) and to larger elements (an axis less).
for src, shape, dst in [(np.float32, (2, 3), tf.int32), (np.int32, (3,), tf.float32), (np.float32, (2,), tf.uint8),
                        (np.uint8, (3, 4), tf.float32), (np.uint8, (4,), tf.uint32), (np.int64, (), tf.int32),
                        (np.int32, (2, 2), tf.int64), (np.float16, (5,), tf.bfloat16), (np.float64, (2, 0), tf.int16),
                        (np.complex64, (2,), tf.int64), (BF16, (2, 2), tf.float32), (np.float32, (3,), tf.float32),
                        (np.uint8, (2,), tf.qint8)]:
    f.case("Bitcast", {"input": random(shape, src)}, type=dst)
f.write()
