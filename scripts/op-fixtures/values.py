"""Values that the fixture scripts share: dtypes by kind, special values, seeded random data."""
import numpy as np
from common import tf

BF16 = tf.bfloat16.as_numpy_dtype
FLOATS = [np.float32, np.float64, np.float16, BF16]
SIGNED = [np.int8, np.int16, np.int32, np.int64]
UNSIGNED = [np.uint8, np.uint16, np.uint32, np.uint64]
INTS = SIGNED + UNSIGNED
COMPLEX = [np.complex64, np.complex128]

# No subnormal numbers: TensorFlow's threads flush them to zero, which no other runtime does.
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.5, 6.0, 7.25, -7.25, 20.0, -20.0, 0.1, -0.1,
           1e-3, -1e-3, 3.0, -3.0, 100.0, -100.0, 9.0, 4.0, np.inf, -np.inf, np.nan, 1000.5, -1000.5]


def special(dtype):
    return np.array(SPECIAL, dtype)


def limits(dtype):
    """Small numbers and both ends of an integer dtype."""
    i = np.iinfo(dtype)
    some = [0, 1, 2, 3, 5, 7, 100, i.max, i.max - 1, i.max // 2]
    if i.min < 0:
        some += [-1, -2, -3, -7, -100, i.min, i.min + 1, i.min // 2]
    return np.array(some, dtype)


def complexes(dtype):
    return np.array([0, 1, -1, 1j, -1j, 1 + 1j, -0.5 + 2j, 3 - 4j, -2 - 0.25j, 0.1 + 0.2j, 5], dtype)


def random(shape, dtype=np.float32, low=-4, high=4, seed=0):
    r = np.random.default_rng([seed, *shape])
    if dtype == np.bool_:
        return r.integers(0, 2, shape).astype(bool)
    if np.dtype(dtype).kind in "iu":
        low = 0 if np.dtype(dtype).kind == "u" else low
        return r.integers(low, high, shape, endpoint=True).astype(dtype)
    if np.dtype(dtype).kind == "c":
        return (r.uniform(low, high, shape) + 1j * r.uniform(low, high, shape)).astype(dtype)
    return r.uniform(low, high, shape).astype(dtype)


def strings(*values):
    return np.array([v if isinstance(v, bytes) else v.encode() for v in values], object)


def supported(family, op, args, **kw):
    """A case, unless the op does not take the dtype or TensorFlow has no CPU kernel for it."""
    try:
        family.case(op, args, **kw)
    except (TypeError, tf.errors.InvalidArgumentError, tf.errors.UnimplementedError, tf.errors.NotFoundError) as e:
        if not any(s in str(e) for s in ("No OpKernel", "not in list of allowed", "not supported", "Unsupported")):
            raise
        print("no kernel:", op, [str(np.asarray(a).dtype) for v in args.values() for a in (v if isinstance(v, list) else [v])])
