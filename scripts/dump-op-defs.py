"""Writes packages/export-core/src/ops/op-defs.json: TensorFlow's op registry as plain facts.

    pip install tensorflow-cpu==2.21.0
    python scripts/dump-op-defs.py > packages/export-core/src/ops/op-defs.json

One line an op: { name: { i: inputs, o: outputs, a: attributes, s: 1 when stateful } }.
An argument is [name, type] where type is a dtype name, "@T" (type attribute T), "*N:type" (N tensors of that
type) or "**T" (a list-of-types attribute); a third element 1 marks a reference argument.
An attribute is [name, type] or [name, type, default].
"""
import base64
import json
import sys

import tensorflow as tf  # noqa: F401  (registers every op)
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry
from tensorflow.python.framework import c_api_util  # noqa: F401
from tensorflow.python.client import pywrap_tf_session
from tensorflow.core.framework import op_def_pb2


def dtype(t):
    return tf.dtypes.as_dtype(t).name


def argument(a):
    one = dtype(a.type) if a.type else "@" + a.type_attr if a.type_attr else None
    if a.type_list_attr:
        kind = "**" + a.type_list_attr
    elif a.number_attr:
        kind = "*%s:%s" % (a.number_attr, one)
    else:
        kind = one
    return [a.name, kind] + ([1] if a.is_ref else [])


def shape(s):
    return None if s.unknown_rank else [d.size for d in s.dim]


def default(kind, v):
    if kind == "string":
        try:
            return v.s.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(v.s).decode()}
    if kind == "int":
        return v.i if abs(v.i) < 2**53 else str(v.i)
    if kind == "float":
        return v.f if abs(v.f) != float("inf") else ("inf" if v.f > 0 else "-inf")
    if kind == "bool":
        return v.b
    if kind == "type":
        return dtype(v.type)
    if kind == "shape":
        return shape(v.shape)
    if kind == "func":
        return v.func.name
    if kind == "tensor":
        return None
    l, of = v.list, kind[5:-1]
    return {
        "string": [x.decode() for x in l.s], "int": list(l.i), "float": list(l.f), "bool": list(l.b),
        "type": [dtype(t) for t in l.type], "shape": [shape(s) for s in l.shape], "func": [f.name for f in l.func],
        "tensor": [],
    }[of]


buffer = pywrap_tf_session.TF_GetAllOpList()
ops = op_def_pb2.OpList()
ops.ParseFromString(pywrap_tf_session.TF_GetBuffer(buffer))
out = []
for op in sorted(ops.op, key=lambda o: o.name):
    row = {"i": [argument(a) for a in op.input_arg], "o": [argument(a) for a in op.output_arg]}
    row["a"] = [[a.name, a.type] + ([default(a.type, a.default_value)] if a.HasField("default_value") else []) for a in op.attr]
    if op.is_stateful:
        row["s"] = 1
    out.append(json.dumps(op.name) + ":" + json.dumps(row, separators=(",", ":")))
sys.stdout.write("{\n" + ",\n".join(out) + "\n}\n")
print(len(out), "ops", file=sys.stderr)
