"""Fixtures of box suppression."""
import numpy as np
from common import Family
from values import random

f = Family("image-boxes")
i32 = np.int32


def boxes(n, seed=0):
    r = np.random.default_rng(seed)
    corner, size = r.uniform(0, 0.6, (n, 2)), r.uniform(0.1, 0.5, (n, 2))
    return np.concatenate([corner, corner + size], 1).astype(np.float32)


def scores(n, seed=1):
    return np.random.default_rng(seed).uniform(0, 1, n).astype(np.float32)


s = lambda x: np.array(x, np.float32)
tied = np.array([0.5, 0.9, 0.5, 0.9, 0.1], np.float32)
flipped = boxes(5)[:, [2, 3, 0, 1]]
for b, sc, k in [(boxes(8), scores(8), 4), (boxes(8), scores(8), 20), (boxes(5), tied, 3), (flipped, tied, 5), (np.zeros((0, 4), np.float32), s([]), 2),
                 (np.repeat(boxes(2), 3, 0), scores(6), 6)]:
    base = {"boxes": b, "scores": sc, "max_output_size": np.array(k, i32)}
    for t in [0.3, 0.0, 1.0]:
        f.case("NonMaxSuppression", base, iou_threshold=t)
        f.case("NonMaxSuppressionV2", {**base, "iou_threshold": s(t)})
        v3 = {**base, "iou_threshold": s(t), "score_threshold": s(0.25)}
        f.case("NonMaxSuppressionV3", v3, const=(2,))
        for pad in [False, True]:
            f.case("NonMaxSuppressionV4", v3, const=(2,), pad_to_max_output_size=pad)
            for sigma in [0.0, 0.5]:
                f.case("NonMaxSuppressionV5", {**v3, "soft_nms_sigma": s(sigma)}, const=(2,), pad_to_max_output_size=pad)
f.case("NonMaxSuppressionV5", {"boxes": boxes(4), "scores": scores(4), "max_output_size": np.array(2, i32), "iou_threshold": s(0.5), "score_threshold": s(-np.inf),
                               "soft_nms_sigma": s(0)}, pad_to_max_output_size=True)
f.case("NonMaxSuppressionV3", {"boxes": boxes(4).astype(np.float16), "scores": scores(4).astype(np.float16), "max_output_size": np.array(2, i32),
                               "iou_threshold": np.float16(0.5), "score_threshold": np.float16(0)}, unknown=False)
f.case("NonMaxSuppressionWithOverlaps", {"overlaps": np.abs(random((3, 3), high=1)), "scores": scores(3), "max_output_size": np.array(2, i32),
                                         "overlap_threshold": s(0.5), "score_threshold": s(0)})
for q, classes in [(1, 2), (3, 3)]:
    b = np.stack([np.stack([boxes(6, 10 * i + j) for j in range(q)], 1) for i in range(2)])
    sc = np.stack([np.stack([scores(6, 7 * i + j) for j in range(classes)], 1) for i in range(2)])
    for per_class, total, pad in [(3, 4, False), (2, 10, False), (2, 10, True), (5, 3, True)]:
        for clip in [True, False]:
            f.case("CombinedNonMaxSuppression", {"boxes": b * 1.5 - 0.2, "scores": sc, "max_output_size_per_class": np.array(per_class, i32),
                                                 "max_total_size": np.array(total, i32), "iou_threshold": s(0.4), "score_threshold": s(0.2)},
                   const=(2, 3), pad_per_class=pad, clip_boxes=clip)
f.write()
