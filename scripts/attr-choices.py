"""Writes packages/export-core/src/checks/attr-choices.json: which values TensorFlow's registry allows for attributes.

Run with tensorflow-cpu==2.21.0:  python scripts/attr-choices.py

{ "sets": [[value, …], …], "ops": { op: { attribute: index of its set } } }; values are texts or the names of dtypes.
Attributes that may hold anything of their type are left out.
"""
import json
import os

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import tensorflow as tf
from tensorflow.python.framework import op_def_registry  # noqa: F401
from tensorflow.python.client import pywrap_tf_session
from tensorflow.core.framework import op_def_pb2

TARGET = os.path.join(os.path.dirname(__file__), '..', 'packages/export-core/src/checks/attr-choices.json')

ops = op_def_pb2.OpList()
ops.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
sets, table = [], {}
for op in sorted(ops.op, key=lambda op: op.name):
  for attr in op.attr:
    allowed = attr.allowed_values.list
    values = [s.decode() for s in allowed.s] + [tf.as_dtype(t).name for t in allowed.type]
    if not values:
      continue
    values.sort()
    if values not in sets:
      sets.append(values)
    table.setdefault(op.name, {})[attr.name] = sets.index(values)

rows = ['"%s":%s' % (name, json.dumps(attrs, separators=(',', ':'))) for name, attrs in table.items()]
with open(TARGET, 'w') as f:
  f.write('{"sets":[\n%s\n],"ops":{\n%s\n}}\n' % (
      ',\n'.join(json.dumps(s, separators=(',', ':')) for s in sets), ',\n'.join(rows)))
