"""Fixtures of pooling."""
import numpy as np
from common import Family, tf
from distinct import each
from values import FLOATS, INTS, random

f = Family("nn-pool")
i32 = np.int32

GEOMETRIES = [((1, 4, 4, 1), (2, 2), (2, 2), "VALID"), ((1, 5, 5, 2), (2, 2), (2, 2), "SAME"), ((2, 5, 6, 2), (3, 2), (1, 2), "SAME"),
              ((1, 5, 6, 1), (3, 2), (2, 1), "VALID"), ((1, 3, 3, 3), (3, 3), (1, 1), "SAME"), ((1, 7, 5, 1), (1, 1), (2, 2), "VALID"),
              ((1, 4, 4, 1), (3, 3), (2, 2), "SAME")]
for shape, k, s, padding in GEOMETRIES:
    x = random(shape)
    kw = dict(ksize=[1, *k, 1], strides=[1, *s, 1], padding=padding)
    f.case("MaxPool", {"input": x}, **kw)
    f.case("AvgPool", {"value": x}, **kw)
    f.case("MaxPoolV2", {"input": x, "ksize": np.array([1, *k, 1], i32), "strides": np.array([1, *s, 1], i32)}, const=(1, 2), padding=padding)
    for whole in [False, True]:
        f.case("MaxPoolWithArgmax", {"input": x}, **kw, include_batch_in_index=whole, Targmax=tf.int32 if whole else tf.int64)
f.case("MaxPool", {"input": random((1, 4, 4, 1))}, ksize=[1, 3, 2, 1], strides=[1, 2, 1, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0])
f.case("MaxPool", {"input": random((1, 2, 2, 6))}, ksize=[1, 1, 1, 2], strides=[1, 1, 1, 2], padding="VALID")
f.case("MaxPool", {"input": random((0, 4, 4, 1))}, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
for d in [np.float16, np.uint8]:
    f.case("MaxPoolV2", {"input": random((1, 4, 4, 1), d, 0, 9), "ksize": np.array([1, 2, 2, 1], i32), "strides": np.array([1, 2, 2, 1], i32)}, const=(1, 2), padding="SAME")
f.case("MaxPoolV2", {"input": random((1, 4, 4, 1)), "ksize": np.array([1, 2, 2, 1], i32), "strides": np.array([1, 2, 2, 1], i32)}, padding="SAME")
each(f, "MaxPool", lambda d: {"input": random((1, 4, 3, 2), d)}, FLOATS + INTS, ksize=[1, 2, 2, 1], strides=[1, 2, 1, 1], padding="SAME")
each(f, "AvgPool", lambda d: {"value": random((1, 4, 3, 2), d)}, FLOATS, ksize=[1, 2, 2, 1], strides=[1, 2, 1, 1], padding="SAME")
each(f, "MaxPoolWithArgmax", lambda d: {"input": random((1, 4, 3, 2), d)}, FLOATS + INTS, ksize=[1, 2, 2, 1], strides=[1, 2, 1, 1], padding="SAME")
for shape, k, s, padding in [((1, 4, 4, 4, 1), (2, 2, 2), (2, 2, 2), "VALID"), ((1, 3, 4, 3, 2), (2, 3, 1), (1, 2, 1), "SAME"), ((2, 3, 3, 3, 1), (2, 2, 2), (1, 1, 1), "VALID")]:
    f.case("MaxPool3D", {"input": random(shape)}, ksize=[1, *k, 1], strides=[1, *s, 1], padding=padding)
    f.case("AvgPool3D", {"input": random(shape)}, ksize=[1, *k, 1], strides=[1, *s, 1], padding=padding)
for op in ["MaxPool3D", "AvgPool3D"]:
    each(f, op, lambda d: {"input": random((1, 2, 3, 2, 1), d)}, FLOATS, ksize=[1, 2, 2, 2, 1], strides=[1, 1, 1, 1, 1], padding="SAME")
f.write()
