"""Fixtures of image resizing, cropping and patches."""
import numpy as np
from common import Family, tf
from distinct import each, some
from values import FLOATS, INTS, random

f = Family("image")
i32 = np.int32

SIZES = [((1, 2, 2, 1), [4, 4]), ((1, 4, 4, 1), [2, 2]), ((2, 3, 4, 2), [5, 3]), ((1, 5, 3, 1), [7, 8]), ((1, 3, 3, 1), [3, 3]), ((1, 1, 4, 1), [3, 1]),
         ((1, 6, 5, 1), [1, 1])]
MODES = {"ResizeBilinear": [{}, {"align_corners": True}, {"half_pixel_centers": True}],
         "ResizeNearestNeighbor": [{}, {"align_corners": True}, {"half_pixel_centers": True}],
         "ResizeBicubic": [{}, {"align_corners": True}, {"half_pixel_centers": True}],
         "ResizeArea": [{}, {"align_corners": True}]}
for op, modes in MODES.items():
    for kw in modes:
        for shape, size in SIZES:
            f.case(op, {"images": random(shape), "size": np.array(size, i32)}, const=(1,), unknown=not kw, **kw)
    f.case(op, {"images": random((1, 2, 2, 1)), "size": np.array([3, 3], i32)})
    each(f, op, lambda d: {"images": random((1, 2, 3, 1), d), "size": np.array([4, 4], i32)}, FLOATS + INTS)

for kernel in ["lanczos1", "lanczos3", "lanczos5", "gaussian", "box", "triangle", "keyscubic", "mitchellcubic"]:
    for antialias in [False, True]:
        for shape, size, scale, shift in [((1, 6, 8, 2), [3, 5], [0.5, 0.625], [0, 0]), ((2, 3, 4, 1), [7, 8], [7 / 3, 2], [0, 0]),
                                          ((1, 5, 7, 1), [4, 6], [0.6, 1.3], [1.25, -2.5])]:
            f.case("ScaleAndTranslate", {"images": random(shape), "size": np.array(size, i32), "scale": np.array(scale, np.float32),
                                         "translation": np.array(shift, np.float32)}, const=(1, 2, 3), kernel_type=kernel, antialias=antialias)
each(f, "ScaleAndTranslate", lambda d: {"images": random((1, 3, 4, 1), d), "size": np.array([2, 2], i32), "scale": np.array([0.7, 0.5], np.float32),
                                        "translation": np.array([0, 0], np.float32)}, FLOATS + INTS)

boxes = np.array([[0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], [0.5, 0.5, 1.5, 1.2], [0.8, 0.9, 0.1, 0.2], [-0.4, 0.3, 0.2, 0.3]], np.float32)
for shape, crop in [((2, 4, 5, 1), [2, 3]), ((2, 3, 3, 2), [1, 1]), ((2, 4, 4, 1), [5, 4])]:
    for kw in [{}, {"method": "nearest"}, {"extrapolation_value": 2.5}]:
        f.case("CropAndResize", {"image": random(shape), "boxes": boxes, "box_ind": np.array([0, 1, 0, 1, 1], i32), "crop_size": np.array(crop, i32)},
               const=(3,), unknown=not kw, **kw)
f.case("CropAndResize", {"image": random((2, 3, 3, 1)), "boxes": boxes[:2], "box_ind": np.array([0, 1], i32), "crop_size": np.array([2, 2], i32)})
each(f, "CropAndResize", lambda d: {"image": random((1, 3, 3, 1), d), "boxes": boxes[1:2], "box_ind": np.array([0], i32), "crop_size": np.array([2, 2], i32)}, FLOATS + INTS)

for shape, k, s, r in [((1, 4, 4, 1), (2, 2), (1, 1), (1, 1)), ((1, 5, 5, 2), (3, 2), (2, 1), (1, 1)), ((2, 6, 6, 1), (2, 2), (2, 2), (2, 3)), ((1, 3, 3, 1), (3, 3), (1, 1), (1, 1))]:
    for padding in ["SAME", "VALID"]:
        f.case("ExtractImagePatches", {"images": some(shape)}, ksizes=[1, *k, 1], strides=[1, *s, 1], rates=[1, *r, 1], padding=padding)
each(f, "ExtractImagePatches", lambda d: {"images": some((1, 3, 3, 1), d)}, FLOATS + INTS, ksizes=[1, 2, 2, 1], strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding="SAME")
for padding in ["SAME", "VALID"]:
    f.case("ExtractVolumePatches", {"input": some((1, 3, 4, 3, 2))}, ksizes=[1, 2, 2, 1, 1], strides=[1, 1, 2, 2, 1], padding=padding)

T = np.array([[1, 0, 0, 0, 1, 0, 0, 0], [0.9, 0.2, 0.3, -0.1, 1.1, -0.6, 0, 0], [1, 0.1, -2.4, 0.05, 0.8, 1.7, 0.02, -0.03]], np.float32)
for mode in ["CONSTANT", "REFLECT", "WRAP", "NEAREST"]:
    for interpolation in ["NEAREST", "BILINEAR"]:
        f.case("ImageProjectiveTransformV3", {"images": random((3, 4, 5, 2)), "transforms": T, "output_shape": np.array([4, 6], i32), "fill_value": np.float32(0.5)},
               const=(2,), interpolation=interpolation, fill_mode=mode)
        f.case("ImageProjectiveTransformV2", {"images": random((2, 3, 4, 1)), "transforms": T[1:2], "output_shape": np.array([3, 3], i32)},
               interpolation=interpolation, fill_mode=mode)
each(f, "ImageProjectiveTransformV3", lambda d: {"images": random((1, 4, 4, 1), d, 0, 9), "transforms": T[1:2], "output_shape": np.array([3, 3], i32), "fill_value": np.float32(1)},
     [np.float32, np.float16, *INTS], interpolation="BILINEAR", fill_mode="CONSTANT")

# What only inference knows.
f.case("AudioSpectrogram", {"input": random((20, 2))}, window_size=6, stride=3)
f.case("AudioSpectrogram", {"input": random((4, 1))}, window_size=8, stride=4, magnitude_squared=True)
f.case("Mfcc", {"spectrogram": np.abs(random((1, 3, 9))), "sample_rate": np.array(8000, i32)}, dct_coefficient_count=5, filterbank_channel_count=8)
f.write()
