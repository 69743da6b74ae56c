"""Fixtures of simulated and real quantisation."""
import numpy as np
from common import Family, tf
from values import random, supported

f = Family("quantize")
X = np.array([0.0, 0.1, -0.1, 1, -1, 2.5, -2.5, 5.99, 6, 7, -7, 100, -100, 0.011764706, 0.0235, 3.1415], np.float32)
RANGES = [(-6, 6), (0, 6), (-1, 1), (0.1, 4), (-3, -0.5), (-0.3, 5.7), (0, 0)]

for low, high in RANGES:
    for bits, narrow in [(8, False), (8, True), (4, False), (16, True), (2, False)]:
        a = {"min": np.float32(low), "max": np.float32(high)}
        f.case("FakeQuantWithMinMaxVars", {"inputs": X, **a}, unknown=bits == 8, num_bits=bits, narrow_range=narrow)
        if low != high:
            f.case("FakeQuantWithMinMaxArgs", {"inputs": X}, unknown=bits == 8, min=low, max=high, num_bits=bits, narrow_range=narrow)
for shape in [(), (0, 2), (2, 1, 3, 2, 2), (20, 10)]:
    x = random(shape, low=-8, high=8)
    f.case("FakeQuantWithMinMaxArgs", {"inputs": x})
    f.case("FakeQuantWithMinMaxVars", {"inputs": x, "min": np.float32(-5.3), "max": np.float32(4.2)}, const=(1, 2))
for shape in [(3,), (2, 3), (2, 2, 2, 3), (0, 3)]:
    for bits, narrow in [(8, False), (8, True), (4, False)]:
        f.case("FakeQuantWithMinMaxVarsPerChannel", {"inputs": random(shape, low=-8, high=8), "min": np.float32([-6, 0, -0.3]), "max": np.float32([6, 5, 7.1])},
               num_bits=bits, narrow_range=narrow)
f.case("FakeQuantWithMinMaxArgsGradient", {"gradients": X, "inputs": X})

for d in [np.float32, np.float64]:
    for op in ["QuantizeAndDequantizeV2", "QuantizeAndDequantizeV4", "QuantizeAndDequantizeV3"]:
        for low, high in [(-6, 6), (0, 6), (-3, 1), (-1, 5), (0.5, 3)]:
            for bits in [8, 5]:
                for kw in [dict(), dict(narrow_range=True), dict(signed_input=False), dict(range_given=False), dict(round_mode="HALF_UP")]:
                    args = {"input": X.astype(d), "input_min": np.array(low, d), "input_max": np.array(high, d)}
                    kw = dict(range_given=True) | kw
                    if op.endswith("V3"):
                        if "round_mode" in kw:
                            continue
                        args["num_bits"] = np.int32(bits)
                    else:
                        kw["num_bits"] = bits
                    f.case(op, args, unknown=bits == 8 and low == -6, **kw)
        for shape in [(2, 3), (2, 3, 2)]:
            for given in (True, False) if op.endswith("V3") else (False,):  # 2.21 refuses vectors in the others
                args = {"input": random(shape, d), "input_min": np.array([-1, -2, 0], d), "input_max": np.array([1, 3, 4], d)}
                if op.endswith("V3"):
                    args["num_bits"] = np.int32(8)
                f.case(op, args, axis=1, range_given=given)

QUANTISED = [(tf.qint8, np.int8), (tf.quint8, np.uint8), (tf.qint16, np.int16), (tf.quint16, np.uint16), (tf.qint32, np.int32)]
for t, d in QUANTISED:
    i = np.iinfo(d)
    q = np.array([i.min, i.min + 1, -1 if i.min else 1, 0, 1, 2, 100, i.max // 2, i.max - 1, i.max], d).astype(t.as_numpy_dtype)
    if t == tf.qint32:
        q = q[2:8]  # float32 rounds the limits up to numbers that do not fit
    for mode in ["MIN_COMBINED", "MIN_FIRST", "SCALED"]:
        for low, high in [(-6, 6), (0, 6), (-1, 5)]:
            supported(f, "Dequantize", {"input": q, "min_range": np.float32(low), "max_range": np.float32(high)}, unknown=low == -6, mode=mode)
            supported(f, "QuantizeV2", {"input": X, "min_range": np.float32(low), "max_range": np.float32(high)}, unknown=low == -6, T=t, mode=mode)
    supported(f, "Dequantize", {"input": q, "min_range": np.float32(-2), "max_range": np.float32(5)}, mode="SCALED", narrow_range=True)
    for kw in [dict(round_mode="HALF_TO_EVEN"), dict(narrow_range=True)]:
        supported(f, "QuantizeV2", {"input": X, "min_range": np.float32(-2), "max_range": np.float32(5)}, T=t, mode="SCALED", **kw)
    for mode in ["MIN_COMBINED", "SCALED"]:
        supported(f, "QuantizeV2", {"input": random((2, 3)), "min_range": np.float32([-1, -2, -3]), "max_range": np.float32([1, 2, 4])}, T=t, mode=mode, axis=1)
    supported(f, "Dequantize", {"input": q.reshape(2, -1), "min_range": np.float32([-1, -2]), "max_range": np.float32([1, 2])}, mode="SCALED", axis=0)
f.write()
