"""Op fixtures: what TensorFlow computes for one node, as data for the tests of shapes, evaluation and lowering.

    pip install tensorflow-cpu==2.21.0 numpy==2.4.6
    python scripts/op-fixtures/<family>.py          writes packages/export-core/src/ops/fixtures/<family>.json.gz

A fixture file is gzipped JSON lines, a case each:
  {"name", "node": NodeDef as base64 (inputs named i0, i1, …),
   "inputs":  [{"dtype", "shape", "data": base64 of the packed little-endian elements, or a list of base64 strings}],
   "outputs": [the same],
   "shapes":  [{"in": [shape of each input, null = unknown rank, -1 = unknown size], "const": [indices of inputs
                that are constants for inference], "out": [what TensorFlow infers]}]}
"""
import base64
import gzip
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "..", "packages", "export-core", "src", "ops", "fixtures")
tf1 = tf.compat.v1
tf1.disable_eager_execution()


def encode(value, dtype):
    value = np.asarray(value)
    if dtype == tf.string:
        data = [base64.b64encode(v if isinstance(v, bytes) else str(v).encode()).decode() for v in value.ravel()]
    else:
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
    return {"dtype": dtype.name, "shape": list(value.shape), "data": data}


def shape_of(t):
    return None if t.shape.rank is None else [-1 if d is None else d for d in t.shape.as_list()]


def infer(op, args, shapes, const, attrs):
    """What TensorFlow infers when inputs have the given shapes and those in `const` are constants."""
    with tf.Graph().as_default():
        flat = [
            tf.constant(a, tf.as_dtype(np.asarray(a).dtype) if np.asarray(a).dtype != object else tf.string)
            if i in const else tf1.placeholder(tf.as_dtype(np.asarray(a).dtype) if np.asarray(a).dtype != object else tf.string,
                                               None if s is None else [None if d == -1 else d for d in s])
            for i, (a, s) in enumerate(zip(flatten(args), shapes))
        ]
        node = call(op, args, flat, attrs)
        return [shape_of(t) for t in node.outputs]


def flatten(args):
    out = []
    for a in args.values():
        out += a if isinstance(a, list) else [a]
    return out


def call(op, args, flat, attrs):
    it = iter(flat)
    kw = {k: ([next(it) for _ in a] if isinstance(a, list) else next(it)) for k, a in args.items()}
    r = getattr(tf.raw_ops, op)(**kw, **attrs)
    t = r
    while isinstance(t, (list, tuple)):
        t = t[0]
    return t if isinstance(t, tf.Operation) else t.op


class Family:
    """Collects the cases of one family and writes its file."""

    def __init__(self, name):
        self.name, self.cases = name, []

    def case(self, op, args, const=(), unknown=True, **attrs):
        """args: {argument name: array or list of arrays}; const: flat indices of inputs that must be constant.

        With `unknown`, inference is recorded for the full shapes, for each first dimension unknown and for unknown rank.
        """
        flat = [np.asarray(a) for a in flatten(args)]
        with tf.Graph().as_default() as g:
            ph = [tf1.placeholder(tf.as_dtype(a.dtype) if a.dtype != object else tf.string, a.shape, name="i%d" % i) if i not in const
                  else tf.constant(a, name="i%d" % i) for i, a in enumerate(flat)]
            node = call(op, args, ph, attrs)
            with tf1.Session(graph=g) as s:
                got = s.run(list(node.outputs), {p: a for i, (p, a) in enumerate(zip(ph, flat)) if i not in const})
            def_ = node.node_def
            dtypes = [t.dtype for t in node.outputs]
            indt = [t.dtype for t in ph]
        full = [list(a.shape) for a in flat]
        shapes = [(full, list(range(len(flat)))), (full, list(const))]
        if unknown:
            shapes.append(([([-1] + s[1:] if s and i not in const else s) for i, s in enumerate(full)], list(const)))
            shapes.append(([(None if i not in const else s) for i, s in enumerate(full)], list(const)))
        recorded = []
        for s, c in shapes:
            try:
                recorded.append({"in": s, "const": c, "out": infer(op, args, s, c, attrs)})
            except ValueError:
                pass
        self.cases.append({
            "name": "%s/%d" % (op, sum(c["name"].startswith(op + "/") for c in self.cases)),
            "node": base64.b64encode(def_.SerializeToString(deterministic=True)).decode(),
            "inputs": [encode(a, d) for a, d in zip(flat, indt)],
            "outputs": [encode(a, d) for a, d in zip(got, dtypes)],
            "shapes": recorded,
        })

    def write(self):
        raw = "".join(json.dumps(c, separators=(",", ":")) + "\n" for c in self.cases).encode()
        b = io.BytesIO()
        with gzip.GzipFile(fileobj=b, mode="wb", mtime=0) as f:
            f.write(raw)
        os.makedirs(OUT, exist_ok=True)
        with open(os.path.join(OUT, self.name + ".json.gz"), "wb") as f:
            f.write(b.getvalue())
        print(self.name, len(self.cases), "cases", len(b.getvalue()), "bytes")
