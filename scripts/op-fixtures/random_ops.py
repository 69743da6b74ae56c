"""Fixtures of random numbers: only their shapes are compared. (Python has a module "random" of its own.)"""
import numpy as np
from common import Family, tf
from values import random

f = Family("random")
SEEDS = {"seed": 1, "seed2": 2}  # the same file every time
KEY = {"key": np.array([1], np.uint64), "counter": np.array([0, 0], np.uint64), "alg": np.int32(1)}

for shape in [(), (2, 3), (0, 2), (2, 1, 2, 1, 2)]:
    s = np.array(shape, np.int32)
    for const in [(0,), ()]:
        for op in ["RandomUniform", "RandomStandardNormal", "TruncatedNormal"]:
            f.case(op, {"shape": s}, const=const, dtype=tf.float32, **SEEDS)
        f.case("RandomUniformInt", {"shape": s, "minval": np.int32(0), "maxval": np.int32(5)}, const=const, **SEEDS)
        for op in ["StatelessRandomUniform", "StatelessRandomNormal", "StatelessTruncatedNormal"]:
            f.case(op, {"shape": s, "seed": np.array([1, 2])}, const=const)
        f.case("StatelessRandomUniformInt", {"shape": s, "seed": np.array([1, 2]), "minval": np.int32(0), "maxval": np.int32(5)}, const=const)
        f.case("StatelessRandomUniformFullInt", {"shape": s, "seed": np.array([1, 2])}, const=const, dtype=tf.int32)
        for op in ["StatelessRandomUniformV2", "StatelessRandomNormalV2", "StatelessTruncatedNormalV2"]:
            f.case(op, {"shape": s, **KEY}, const=const)
        f.case("StatelessRandomUniformFullIntV2", {"shape": s, **KEY}, const=const, dtype=tf.int32)
        f.case("StatelessRandomUniformIntV2", {"shape": s, **KEY, "minval": np.int32(0), "maxval": np.int32(5)}, const=const)
        f.case("RandomGamma", {"shape": s, "alpha": np.float32([1, 2])}, const=const, **SEEDS)
        f.case("RandomPoissonV2", {"shape": s, "rate": np.float32([1, 2])}, const=const, **SEEDS)
        f.case("ParameterizedTruncatedNormal", {"shape": s if shape else np.array([2], np.int32), "means": np.float32(0), "stdevs": np.float32(1),
                                                "minvals": np.float32(-1), "maxvals": np.float32(1)}, const=const, **SEEDS)
f.case("RandomUniform", {"shape": np.array([2, 3])}, const=(0,), dtype=tf.float64, **SEEDS)
f.case("StatelessRandomPoisson", {"shape": np.int32([2, 3]), "seed": np.array([1, 2]), "lam": np.float32(2)}, const=(0,), dtype=tf.float32)
f.case("StatelessRandomBinomial", {"shape": np.int32([2, 3]), "seed": np.array([1, 2]), "counts": np.float32(2), "probs": np.float32(0.5)}, const=(0,))
f.case("StatelessRandomGammaV2", {"shape": np.int32([2, 3]), "seed": np.array([1, 2]), "alpha": np.float32(2)}, const=(0,))
f.case("StatelessRandomGetKeyCounter", {"seed": np.array([1, 2])})
for op, more in [("Multinomial", {}), ("StatelessMultinomial", {"seed": np.array([1, 2])})]:
    for const in [(1,), ()]:
        f.case(op, {"logits": random((2, 3)), "num_samples": np.int32(4), **more}, const=const, **({} if more else SEEDS))
for shape in [(3,), (2, 3)]:
    f.case("RandomShuffle", {"value": random(shape)}, **SEEDS)
    f.case("StatelessShuffle", {"value": random(shape), **KEY})
for op in ["UniformCandidateSampler", "LogUniformCandidateSampler", "LearnedUnigramCandidateSampler"]:
    f.case(op, {"true_classes": np.array([[1], [2]])}, num_true=1, num_sampled=3, unique=True, range_max=10, **SEEDS)
f.write()
