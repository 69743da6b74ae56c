"""Fixtures of convolutions."""
import numpy as np
from common import Family
from distinct import each
from values import FLOATS, random

f = Family("nn-conv")
i32 = np.int32


def rnd(shape, d=np.float32, seed=0):
    return random(shape, d, -1, 1, seed)


GEOMETRIES = [  # image, filter, strides, dilations, padding, explicit
    ((1, 5, 5, 1), (3, 3, 1, 1), (1, 1), (1, 1), "SAME", []),
    ((1, 5, 5, 2), (3, 3, 2, 3), (1, 1), (1, 1), "VALID", []),
    ((2, 6, 5, 2), (3, 2, 2, 2), (2, 2), (1, 1), "SAME", []),
    ((1, 7, 6, 1), (2, 3, 1, 2), (2, 3), (1, 1), "VALID", []),
    ((1, 7, 7, 1), (3, 3, 1, 1), (1, 1), (2, 2), "SAME", []),
    ((1, 7, 8, 1), (3, 2, 1, 1), (1, 1), (2, 3), "VALID", []),
    ((1, 4, 4, 1), (3, 3, 1, 2), (1, 1), (1, 1), "EXPLICIT", [0, 0, 1, 0, 2, 1, 0, 0]),
    ((1, 4, 4, 1), (3, 3, 1, 1), (2, 2), (1, 1), "EXPLICIT", [0, 0, 1, 1, 0, 2, 0, 0]),
    ((1, 3, 3, 3), (1, 1, 3, 2), (1, 1), (1, 1), "SAME", []),
    ((1, 1, 4, 2), (1, 3, 2, 2), (1, 2), (1, 1), "SAME", []),
    ((0, 4, 4, 1), (2, 2, 1, 1), (1, 1), (1, 1), "SAME", []),
]
for image, filt, s, d, padding, explicit in GEOMETRIES:
    kw = dict(strides=[1, *s, 1], dilations=[1, *d, 1], padding=padding, explicit_paddings=explicit)
    f.case("Conv2D", {"input": rnd(image), "filter": rnd(filt)}, **kw)
    f.case("Conv2D", {"input": rnd(image), "filter": rnd(filt)}, const=(1,), **kw)
    if image[0] and d == (1, 1):
        # The kernel takes equal strides and no dilations only.
        f.case("DepthwiseConv2dNative", {"input": rnd(image), "filter": rnd(filt)}, const=(1,), **{**kw, "strides": [1, s[0], s[0], 1]})
f.case("Conv2D", {"input": rnd((1, 4, 4, 4)), "filter": rnd((2, 2, 2, 6))}, strides=[1, 1, 1, 1], padding="SAME")
each(f, "Conv2D", lambda d: {"input": random((1, 3, 4, 2), d), "filter": random((2, 2, 2, 2), d)}, FLOATS + [i32], strides=[1, 1, 1, 1], padding="SAME")
each(f, "DepthwiseConv2dNative", lambda d: {"input": random((1, 3, 4, 2), d), "filter": random((2, 2, 2, 2), d)}, FLOATS, strides=[1, 1, 1, 1], padding="SAME")

for sizes, filt, grad, s, d, padding, explicit in [
    ([1, 5, 5, 1], (3, 3, 1, 1), (1, 5, 5, 1), (1, 1), (1, 1), "SAME", []),
    ([1, 6, 5, 2], (3, 2, 2, 3), (1, 3, 3, 3), (2, 2), (1, 1), "SAME", []),
    ([2, 7, 6, 1], (2, 3, 1, 2), (2, 3, 2, 2), (2, 3), (1, 1), "VALID", []),
    ([1, 4, 4, 2], (2, 2, 2, 1), (1, 2, 2, 1), (2, 2), (1, 1), "VALID", []),
    ([1, 4, 4, 1], (3, 3, 1, 1), (1, 2, 3, 1), (2, 2), (1, 1), "EXPLICIT", [0, 0, 1, 1, 1, 2, 0, 0]),
]:
    kw = dict(strides=[1, *s, 1], dilations=[1, *d, 1], padding=padding, explicit_paddings=explicit)
    f.case("Conv2DBackpropInput", {"input_sizes": np.array(sizes, i32), "filter": rnd(filt), "out_backprop": rnd(grad, seed=1)}, const=(0,), **kw)
f.case("Conv2DBackpropInput", {"input_sizes": np.array([1, 4, 4, 2], i32), "filter": rnd((2, 2, 2, 1)), "out_backprop": rnd((1, 2, 2, 1))},
       strides=[1, 2, 2, 1], padding="VALID")
f.case("Conv2DBackpropInput", {"input_sizes": np.array([4, 4], i32), "filter": rnd((2, 2, 2, 1)), "out_backprop": rnd((1, 2, 2, 1))}, const=(0,), unknown=False,
       strides=[1, 2, 2, 1], padding="VALID")
for sizes, filt, grad, s, padding in [([1, 5, 5, 2], (3, 3, 2, 2), (1, 5, 5, 4), 1, "SAME"), ([1, 6, 6, 1], (3, 2, 1, 2), (1, 2, 3, 2), 2, "VALID")]:
    f.case("DepthwiseConv2dNativeBackpropInput", {"input_sizes": np.array(sizes, i32), "filter": rnd(filt), "out_backprop": rnd(grad)}, const=(0,),
           strides=[1, s, s, 1], padding=padding)

for image, filt, s, d, padding in [
    ((1, 3, 4, 3, 1), (2, 2, 2, 1, 1), (1, 1, 1), (1, 1, 1), "SAME"), ((1, 3, 4, 3, 2), (2, 1, 2, 2, 2), (1, 2, 1), (1, 1, 1), "VALID"),
    ((1, 4, 4, 4, 1), (2, 2, 2, 1, 2), (2, 2, 2), (1, 1, 1), "SAME"), ((1, 4, 3, 5, 1), (2, 1, 2, 1, 1), (1, 1, 1), (1, 1, 1), "VALID"),
]:
    f.case("Conv3D", {"input": rnd(image), "filter": rnd(filt)}, strides=[1, *s, 1], padding=padding, dilations=[1, *d, 1])
each(f, "Conv3D", lambda d: {"input": rnd((1, 2, 2, 2, 1), d), "filter": rnd((2, 2, 1, 1, 2), d)}, FLOATS, strides=[1] * 5, padding="SAME")
for sizes, filt, grad, s, padding in [
    ([1, 3, 4, 3, 1], (2, 2, 2, 1, 1), (1, 3, 4, 3, 1), (1, 1, 1), "SAME"), ([1, 4, 4, 4, 2], (2, 2, 2, 2, 1), (1, 2, 2, 2, 1), (2, 2, 2), "VALID"),
    ([1, 3, 5, 4, 1], (2, 3, 1, 1, 2), (1, 2, 3, 2, 2), (2, 2, 2), "SAME"),
]:
    for t in [i32, np.int64]:
        f.case("Conv3DBackpropInputV2", {"input_sizes": np.array(sizes, t), "filter": rnd(filt), "out_backprop": rnd(grad)}, const=(0,), strides=[1, *s, 1], padding=padding)
f.case("Conv3DBackpropInputV2", {"input_sizes": np.array([1, 4, 4, 4, 2], i32), "filter": rnd((2, 2, 2, 2, 1)), "out_backprop": rnd((1, 2, 2, 2, 1))},
       strides=[1, 2, 2, 2, 1], padding="VALID")

for image, filt, s, r, padding in [((1, 4, 5, 1), (2, 2, 1), (1, 1), (1, 1), "SAME"), ((2, 5, 5, 2), (2, 3, 2), (2, 1), (1, 1), "VALID"),
                                   ((1, 6, 6, 2), (3, 2, 2), (1, 2), (2, 3), "SAME"), ((1, 6, 6, 1), (2, 2, 1), (1, 1), (2, 2), "VALID")]:
    f.case("Dilation2D", {"input": rnd(image), "filter": rnd(filt)}, strides=[1, *s, 1], rates=[1, *r, 1], padding=padding)
each(f, "Dilation2D", lambda d: {"input": random((1, 3, 3, 1), d), "filter": random((2, 2, 1), d)}, FLOATS + [i32, np.uint8], strides=[1] * 4, rates=[1] * 4, padding="SAME")
pads = np.array([[0, 0], [1, 1], [2, 0], [0, 0]], i32)
for mode in ["REFLECT", "SYMMETRIC"]:
    f.case("FusedPadConv2D", {"input": rnd((1, 4, 4, 2)), "paddings": pads, "filter": rnd((2, 3, 2, 2))}, const=(1,), mode=mode, strides=[1, 1, 1, 1], padding="VALID")
f.write()
