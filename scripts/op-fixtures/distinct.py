"""Inputs for ops that move elements: every element another, in every dtype."""
import numpy as np
from common import tf
from values import COMPLEX, FLOATS, INTS

EVERY = FLOATS + INTS + COMPLEX + [np.bool_, object]


def some(shape, dtype=np.float32):
    """1, 2, 3, … where the dtype has so many values; strings for object."""
    n = int(np.prod(shape))
    if dtype is object:
        return np.array([("s%d" % i).encode() for i in range(n)], object).reshape(shape)
    if dtype == np.bool_:
        return (np.arange(n) % 3 == 0).reshape(shape)
    if np.dtype(dtype).kind == "c":
        return (np.arange(n) + 1j * np.arange(n, 0, -1)).astype(dtype).reshape(shape)
    return (np.arange(n) + 1).astype(dtype).reshape(shape)


def each(family, op, args, dtypes=tuple(EVERY), **kw):
    """The same case in every dtype that TensorFlow has a kernel for; `args` makes the inputs from a dtype."""
    missing = []
    for d in dtypes:
        try:
            family.case(op, args(d), unknown=d == np.float32, **kw)
        except (TypeError, ValueError, tf.errors.InvalidArgumentError, tf.errors.UnimplementedError, tf.errors.NotFoundError) as e:
            if not any(s in str(e) for s in ("No OpKernel", "not in list of allowed", "not supported", "Unsupported")):
                raise
            missing.append("string" if d is object else np.dtype(d).name)
    if missing:
        print("no kernel:", op, *missing)
