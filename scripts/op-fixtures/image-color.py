"""Fixtures of colours."""
import numpy as np
from common import Family
from distinct import each
from values import FLOATS, random

f = Family("image-color")

fixed = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.2, 0.7, 0.7], [0.9, 0.1, 0.5], [0.5, 0.5, 0.2]], np.float32)
for x in [fixed, random((2, 2, 2, 3), low=0, high=1), random((3,), low=0, high=1), np.zeros((0, 3), np.float32)]:
    f.case("RGBToHSV", {"images": x})
    f.case("HSVToRGB", {"images": x})
for op in ["RGBToHSV", "HSVToRGB"]:
    each(f, op, lambda d: {"images": random((2, 3), d, 0, 1)}, FLOATS)
for shape in [(2, 3, 1), (2, 2, 2, 3), (1, 1, 3, 2, 2)]:
    for k in [0.5, 2.0]:
        f.case("AdjustContrastv2", {"images": random(shape), "contrast_factor": np.float32(k)})
each(f, "AdjustContrastv2", lambda d: {"images": random((2, 2, 1), d), "contrast_factor": np.float32(1.5)}, FLOATS)
for shape in [(2, 3, 3), (2, 1, 2, 3)]:
    for k in [0.0, 0.2, -0.7, 1.0]:
        f.case("AdjustHue", {"images": random(shape, low=0, high=1), "delta": np.float32(k)})
        f.case("AdjustSaturation", {"images": random(shape, low=0, high=1), "scale": np.float32(abs(k) * 2)})
each(f, "AdjustHue", lambda d: {"images": random((1, 2, 3), d, 0, 1), "delta": np.float32(0.3)}, FLOATS)
each(f, "AdjustSaturation", lambda d: {"images": random((1, 2, 3), d, 0, 1), "scale": np.float32(0.3)}, FLOATS)
f.write()
