"""Writes packages/executor-tflite/src/tflite/schema.json: the .tflite format's names and numbers as data.

    python scripts/generate-tflite-schema.py schema.fbs runtime_version.cc > packages/executor-tflite/src/tflite/schema.json

Both files are LiteRT's, at commit f67745790c9c2ab67347d6fe53270e8d3df20868 (tflite/converter/schema/schema.fbs and
tflite/converter/tools/versioning/runtime_version.cc). Kept are facts only: enum values, field names in slot order with
their types and defaults, union members, and the runtime that brought each version of an operator.
"""
import json
import re
import sys

text = re.sub(r"//[^\n]*", "", open(sys.argv[1]).read())
enums, storage, unions, tables = {}, {}, {}, {}
for kind, name, base, body in re.findall(r"\b(enum|union|table)\s+(\w+)\s*:?\s*(\w*)\s*\{([^}]*)\}", text):
    if kind == "table":
        fields = []
        for field, type_, default, attrs in re.findall(r"(\w+)\s*:\s*([\w\[\]]+)\s*(?:=\s*([^;(\s]+))?\s*(\([^)]*\))?\s*;", body):
            row = [field, type_]
            if default:
                row.append({"true": 1, "false": 0}.get(default, default if re.match(r"[A-Za-z]", default) else float(default) if "." in default else int(default)))
            fields.append(row)
        tables[name] = fields
        continue
    value, members = -1, {}
    for item in filter(None, (x.strip() for x in body.split(","))):
        m = re.match(r"(\w+)(?:\s*=\s*(-?\w+))?", item)
        value = int(m.group(2), 0) if m.group(2) else value + 1
        members[m.group(1)] = value
    if kind == "union":
        unions[name] = ["NONE"] + list(members)
    else:
        enums[name] = members
        storage[name] = {"int32": "int"}.get(base, base)
runtime = {}
for op, version, since in re.findall(r"BuiltinOperator_(\w+),\s*(\d+)\},\s*\"([\d.]+)\"", open(sys.argv[2]).read()):
    runtime.setdefault(op, {})[version] = since


def block(d):
    return "{\n" + ",\n".join(json.dumps(k) + ":" + json.dumps(v, separators=(",", ":")) for k, v in d.items()) + "\n}"


print('{\n"enums":%s,\n"storage":%s,\n"unions":%s,\n"tables":%s,\n"runtime":%s\n}' % tuple(map(block, (enums, storage, unions, tables, runtime))))
