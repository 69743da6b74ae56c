"""Fixtures of normalisations and softmax."""
import numpy as np
from common import Family
from distinct import each
from removed import removed
from values import FLOATS, random

f = Family("nn-norm")


def norm_inputs(x, d=np.float32, empty=False):
    c = x.shape[-1]
    r = lambda seed, low=-1: random((c,), d, low, 1, seed)
    none = np.zeros((0,), d)
    return {"x": x, "scale": r(1), "offset": r(2), "mean": none if empty else r(3), "variance": none if empty else r(4, 0.1)}


for op in ["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"]:
    for shape in [(1, 2, 2, 3), (2, 3, 1, 1), (3, 1, 1, 2)]:
        f.case(op, norm_inputs(random(shape)), is_training=False)
        f.case(op, norm_inputs(random(shape)), is_training=False, epsilon=0.01)
f.case("FusedBatchNormV3", norm_inputs(random((1, 2, 2, 2, 3))), is_training=False, data_format="NDHWC")
for op in ["FusedBatchNorm", "FusedBatchNormV3"]:
    f.case(op, norm_inputs(random((2, 2, 2, 3)), empty=True), is_training=True)
    f.case(op, norm_inputs(random((2, 1, 2, 2))), is_training=True, exponential_avg_factor=0.25)
for d in FLOATS[2:]:
    f.case("FusedBatchNormV3", norm_inputs(random((1, 2, 2, 3), d)), unknown=False, is_training=False)

for shape, scale in [((1, 2, 2, 3), True), ((2, 1, 2, 2), False)]:
    n = shape[-1]
    removed(f, "BatchNormWithGlobalNormalization", [random(shape), random((n,)), random((n,), low=0.1), random((n,), seed=1), random((n,), seed=2)],
            producer=8, variance_epsilon=0.001, scale_after_normalization=scale)
for shape in [(1, 2, 2, 3), (2, 1, 2, 8), (1, 1, 1, 1)]:
    for kw in [{}, dict(depth_radius=2, bias=2.0, alpha=1e-2, beta=0.75), dict(depth_radius=1, bias=1.0, alpha=0.5, beta=1.0)]:
        f.case("LRN", {"input": random(shape)}, **kw)
each(f, "LRN", lambda d: {"input": random((1, 1, 2, 3), d)}, FLOATS)
for op in ["Softmax", "LogSoftmax"]:
    for shape in [(3,), (2, 4), (2, 1, 3), (1, 2, 1, 2, 3), (0, 3), (2, 1)]:
        f.case(op, {"logits": random(shape)})
    f.case(op, {"logits": random((2, 3), low=-90, high=90)})
    each(f, op, lambda d: {"logits": random((2, 3), d)}, FLOATS)
for a, b in [((2, 3), (2, 3)), ((2, 3), (1, 3)), ((1, 3), (2, 3)), ((2, 1), (1, 3)), ((0, 3), (0, 3))]:
    labels = np.abs(random(b, seed=3))
    f.case("SoftmaxCrossEntropyWithLogits", {"features": random(a), "labels": labels})
f.case("SoftmaxCrossEntropyWithLogits", {"features": random((2, 3)), "labels": np.eye(2, 3, dtype=np.float32)})
each(f, "SoftmaxCrossEntropyWithLogits", lambda d: {"features": random((2, 3), d), "labels": np.abs(random((2, 3), d, seed=3))}, FLOATS)
for d in [np.int32, np.int64]:
    f.case("SparseSoftmaxCrossEntropyWithLogits", {"features": random((3, 4)), "labels": np.array([0, 3, 1], d)})
each(f, "SparseSoftmaxCrossEntropyWithLogits", lambda d: {"features": random((2, 3), d), "labels": np.array([2, 0], np.int32)}, FLOATS)
f.write()
