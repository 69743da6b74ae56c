"""Fixtures of matrix products, Einsum, diagonals and bands."""
import numpy as np
from common import Family, tf
from values import BF16, COMPLEX, FLOATS, INTS, random, supported

f = Family("matmul")

for d in FLOATS + [np.int32, np.int64] + COMPLEX:
    supported(f, "MatMul", {"a": random((2, 3), d), "b": random((3, 4), d, seed=1)}, unknown=d == np.float32)
for s, ta, t, tb in [((2, 3), False, (4, 3), True), ((3, 2), True, (3, 4), False), ((3, 2), True, (4, 3), True),
                     ((0, 3), False, (3, 2), False), ((2, 0), False, (0, 3), False), ((1, 1), False, (1, 1), False)]:
    for d in [np.float32, np.int32, np.complex64]:
        f.case("MatMul", {"a": random(s, d), "b": random(t, d, seed=1)}, transpose_a=ta, transpose_b=tb)
f.case("MatMul", {"a": random((5, 40)), "b": random((40, 7))})
f.case("MatMul", {"a": random((2, 3)), "b": random((3, 2))}, const=(1,))
for a in [np.float32, BF16]:
    for b in [np.float32, BF16]:
        f.case("SparseMatMul", {"a": random((2, 3), a), "b": random((3, 4), b, seed=1)}, b_is_sparse=True)
f.case("SparseMatMul", {"a": random((3, 2)), "b": random((4, 3), seed=1)}, transpose_a=True, transpose_b=True)

BATCHES = [((2, 3), (3, 4), False, False), ((2, 2, 3), (2, 3, 4), False, False), ((2, 3, 2), (2, 4, 3), True, True),
           ((2, 1, 2, 3), (2, 1, 4, 3), False, True), ((0, 2, 3), (0, 3, 2), False, False), ((2, 1, 1, 3, 2), (2, 1, 1, 3, 1), True, False)]
BROADCASTS = [((2, 2, 3), (3, 4), False, False), ((2, 3), (5, 3, 2), False, False), ((2, 1, 2, 3), (3, 3, 2), False, False),
              ((1, 2, 3), (2, 4, 3), False, True), ((2, 1, 3, 2), (1, 3, 3, 2), True, False)]
for op in ["BatchMatMul", "BatchMatMulV2"]:
    for d in FLOATS + [np.int16, np.int32, np.int64] + COMPLEX:
        supported(f, op, {"x": random((2, 2, 3), d), "y": random((2, 3, 2), d, seed=1)}, unknown=False)
    for d in [np.float32, np.complex64]:
        for s, t, ax, ay in BATCHES + (BROADCASTS if op == "BatchMatMulV2" else []):
            f.case(op, {"x": random(s, d), "y": random(t, d, seed=1)}, adj_x=ax, adj_y=ay)
for a, b, to in [(np.float32, np.float32, tf.float32), (np.int8, np.int8, tf.int32), (np.uint8, np.int8, tf.int32),
                 (np.int8, np.uint8, tf.int32)]:
    supported(f, "BatchMatMulV3", {"x": random((2, 2, 3), a, -100, 100), "y": random((3, 2), b, -100, 100, seed=1)}, Tout=to)

EQUATIONS = [("ij,jk->ik", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 2, 3), (2, 3, 4)), ("abc,cd->abd", (2, 2, 3), (3, 4)),
             ("...ij,...jk->...ik", (5, 2, 3), (3, 4)), ("...ij,jk->...ik", (2, 1, 2, 3), (3, 4)), ("i,j->ij", (2,), (3,)),
             ("i,i->", (4,), (4,)), ("ij,ij->ij", (2, 3), (2, 3)), ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 2, 2, 4)),
             ("bhqk,bkhd->bqhd", (2, 2, 3, 2), (2, 2, 2, 4)), ("ijk,jil->kl", (2, 3, 4), (3, 2, 5)), ("ij,kj->ik", (2, 3), (4, 3)),
             ("ii,ij->j", (3, 3), (3, 2)), (",ij->ji", (), (2, 3)), ("...a,...b->...ab", (2, 1, 2), (3, 3)), ("ab,bc->ca", (0, 2), (2, 3)),
             ("ab,bc->ac", (2, 0), (0, 3)), ("...i,...i->...", (2, 3), (1, 3)), ("ij,k->ik", (2, 3), (2,)),
             ("lbh,bkl->bkh", (2, 3, 4), (3, 2, 2)), ("...ij,j...->i...", (5, 4, 3), (3, 2, 1)), ("adc,bd->acb", (2, 3, 4), (2, 3)),
             ("...ij,...inj->in...", (1, 2, 3), (4, 2, 2, 3)), ("fehgc,cghfe->hgcf", (2, 2, 3, 1, 2), (2, 1, 3, 2, 2)),
             ("b...i,bij->b...j", (2, 3, 1, 2), (2, 2, 3)), ("b...i,b...ij->b...j", (2, 2, 3), (2, 4, 1, 3, 2)),
             ("ab...,...b->...", (2, 3, 1), (4, 3, 3)), ("...abc,d...c->d...ab", (1, 2, 3, 2), (2, 3, 2))]
ALONE = [("ij->ji", (2, 3)), ("ii->i", (3, 3)), ("ii->", (3, 3)), ("ij->", (2, 3)), ("ij->j", (2, 3)), ("b...a->ab...", (2, 4, 3)),
         ("...ii->...i", (2, 3, 3)), ("abcde->edcba", (2, 1, 2, 1, 3)), ("i->i", (3,)), ("...->...", (2, 2))]
for eq, s, t in EQUATIONS:
    f.case("Einsum", {"inputs": [random(s), random(t, seed=1)]}, equation=eq)
for eq, s in ALONE:
    f.case("Einsum", {"inputs": [random(s)]}, equation=eq)
for d in FLOATS + [np.int32, np.int64] + COMPLEX:
    supported(f, "Einsum", {"inputs": [random((2, 3), d), random((3, 2), d, seed=1)]}, unknown=False, equation="ij,jk->ik")
    supported(f, "Einsum", {"inputs": [random((2, 3), d)]}, unknown=False, equation="ij->j")

for d in FLOATS + INTS:
    supported(f, "Cross", {"a": random((2, 3), d), "b": random((2, 3), d, seed=1)}, unknown=d == np.float32)
f.case("Cross", {"a": random((3,)), "b": random((3,), seed=1)})
f.case("Cross", {"a": random((0, 3)), "b": random((0, 3))})

ALL = FLOATS + INTS + COMPLEX + [np.bool_]
for d in ALL:
    first = d == np.float32
    supported(f, "MatrixDiag", {"diagonal": random((2, 3), d)}, unknown=first)
    supported(f, "MatrixDiagPart", {"input": random((2, 2, 3), d)}, unknown=first)
    supported(f, "MatrixSetDiag", {"input": random((2, 2, 3), d), "diagonal": random((2, 2), d, seed=1)}, unknown=first)
    supported(f, "MatrixBandPart", {"input": random((2, 3, 4), d), "num_lower": np.int64(1), "num_upper": np.int64(0)}, unknown=first)
    supported(f, "Diag", {"diagonal": random((2, 2), d)}, unknown=first)
    supported(f, "DiagPart", {"input": random((2, 3, 2, 3), d)}, unknown=first)
    supported(f, "MatrixDiagV3", {"diagonal": random((2, 3), d), "k": np.int32(1), "num_rows": np.int32(-1), "num_cols": np.int32(-1),
                                  "padding_value": random((), d, 1, 3)}, unknown=False)
for op in ["MatrixDiag"]:
    for s in [(3,), (0,), (2, 1, 2, 2)]:
        f.case(op, {"diagonal": random(s)})
for op in ["MatrixDiagPart"]:
    for s in [(3, 2), (2, 2), (0, 3), (2, 1, 2, 4, 3)]:
        f.case(op, {"input": random(s)})
for op in ["MatrixSetDiag"]:
    for s, t in [((3, 2), (2,)), ((2, 2), (2,)), ((2, 1, 2, 4, 3), (2, 1, 2, 3)), ((0, 2, 2), (0, 2))]:
        f.case(op, {"input": random(s), "diagonal": random(t, seed=1)})
for op in ["MatrixBandPart"]:
    for s in [(4, 3), (2, 3, 4), (0, 2, 2), (2, 1, 1, 3, 3)]:
        for low, up in [(0, 0), (-1, 0), (0, -1), (1, 1), (-1, -1), (2, 0)]:
            f.case(op, {"input": random(s), "num_lower": np.int64(low), "num_upper": np.int64(up)})
f.case("MatrixBandPart", {"input": random((3, 3)), "num_lower": np.int32(1), "num_upper": np.int32(-1)})
for s in [(3,), (1,), (2, 1, 2)]:
    f.case("Diag", {"diagonal": random(s)})
for s in [(3, 3), (2, 1, 2, 2, 1, 2)]:
    f.case("DiagPart", {"input": random(s)})

ALIGNS = ["LEFT_LEFT", "RIGHT_LEFT", "LEFT_RIGHT", "RIGHT_RIGHT"]
# k, shape of a matrix that has these diagonals
BANDS = [(0, (3, 3)), (1, (3, 3)), (-1, (3, 4)), ([0, 0], (2, 3)), ([-1, 1], (3, 3)), ([-2, 0], (4, 3)), ([0, 2], (3, 5)), ([1, 2], (3, 4)), ([-2, -1], (4, 2)),
         ([-2, 2], (3, 3))]


def stored(k, rows, cols):
    low, up = (k, k) if np.ndim(k) == 0 else k
    length = min(rows + min(up, 0), cols - max(low, 0))
    return ([up - low + 1] if up > low else []) + [length]


for version in ["V2", "V3"]:
    for align in ALIGNS if version == "V3" else [None]:
        attrs = {"align": align} if align else {}
        for k, (rows, cols) in BANDS:
            for batch in [(), (2,)] if align in (None, "RIGHT_LEFT") else [(2,)]:
                k_ = np.array(k, np.int32)
                d = random((*batch, *stored(k, rows, cols)))
                m = random((*batch, rows, cols), seed=1)
                f.case("MatrixDiag" + version, {"diagonal": d, "k": k_, "num_rows": np.int32(rows), "num_cols": np.int32(cols),
                                                "padding_value": np.float32(9)}, const=(1, 2, 3), unknown=not batch, **attrs)
                f.case("MatrixDiagPart" + version, {"input": m, "k": k_, "padding_value": np.float32(9)}, const=(1,), unknown=not batch, **attrs)
                f.case("MatrixSetDiag" + version, {"input": m, "diagonal": d, "k": k_}, const=(2,), unknown=not batch, **attrs)
    for rows, cols in [(-1, -1), (-1, 4), (4, -1)]:
        for k in [0, 1, -1]:
            f.case("MatrixDiag" + version, {"diagonal": random((2, 3)), "k": np.int32(k), "num_rows": np.int32(max(rows, 3 - min(k, 0)) if rows > 0 else -1),
                                            "num_cols": np.int32(max(cols, 3 + max(k, 0)) if cols > 0 else -1), "padding_value": np.float32(0)}, const=(1, 2, 3))
    f.case("MatrixDiagPart" + version, {"input": random((2, 3, 3)), "k": np.int32([0, 1]), "padding_value": np.float32(0)})
    f.case("MatrixSetDiag" + version, {"input": random((2, 3, 3)), "diagonal": random((2, 3)), "k": np.int32(0)})
for op in ["Cholesky", "MatrixInverse", "MatrixDeterminant"]:
    for s in [(3, 3), (2, 2, 2)]:
        f.case(op, {"input": np.broadcast_to(np.eye(s[-1], dtype=np.float32) * 2, s).copy()})
f.write()
