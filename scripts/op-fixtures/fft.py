"""Fixtures of Fourier transforms and the parts of complex numbers."""
import numpy as np
from common import Family, tf
from values import COMPLEX, complexes, random

f = Family("fft")
REAL = [(np.float32, tf.complex64), (np.float64, tf.complex128)]

for rank, suffix in [(1, ""), (2, "2D"), (3, "3D")]:
    for op in ["FFT", "IFFT"]:
        for d in COMPLEX:
            for shape in [(4, 2, 2), (2, 2, 3, 5), (1, 7, 3)] + ([(8,), (1,), (0, 4), (2, 12)] if rank == 1 else []):
                f.case(op + suffix, {"input": random(shape, d)}, unknown=d == np.complex64)
    for real, cplx in REAL:
        for shape, length in [((2, 4, 4), (2, 4, 4)), ((2, 2, 3, 5), (2, 3, 5)), ((2, 2, 3, 6), (2, 3, 4)), ((2, 3, 8), (2, 2, 7)), ((2, 2, 2), (2, 2, 1)), ((0, 3, 2, 4), (3, 2, 4))]:
            n = np.array(length[-rank:], np.int32)
            f.case("RFFT" + suffix, {"input": random(shape, real), "fft_length": n}, const=(1,), unknown=real == np.float32, Tcomplex=cplx)
            x = random(shape, np.complex64 if real == np.float32 else np.complex128)
            f.case("IRFFT" + suffix, {"input": x, "fft_length": n}, const=(1,), unknown=real == np.float32, Treal=tf.as_dtype(real))
    f.case("RFFT" + suffix, {"input": random((2, 2, 4)), "fft_length": np.array([2, 2, 4][-rank:], np.int32)})

for op in ["Real", "Imag", "ComplexAbs", "Angle"]:
    for d, t in [(np.complex64, tf.float32), (np.complex128, tf.float64)]:
        for x in [complexes(d), random((2, 3), d), random((), d), np.zeros((0, 2), d)]:
            f.case(op, {"x" if op == "ComplexAbs" else "input": x}, Tout=t)
for d in COMPLEX:
    f.case("Conj", {"input": random((2, 3), d)})
for d, t in [(np.float32, tf.complex64), (np.float64, tf.complex128)]:
    for s, u in [((2, 3), (2, 3)), ((), ()), ((2, 1), (3,)), ((0,), ())]:
        f.case("Complex", {"real": random(s, d), "imag": random(u, d, seed=1)}, Tout=t)
f.write()
