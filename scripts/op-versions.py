"""Writes packages/export-core/src/checks/op-versions.json: which TensorFlow brought which op and attribute.

    python scripts/op-versions.py WHEEL... > packages/export-core/src/checks/op-versions.json

WHEEL is a wheel of tensorflow or tensorflow-cpu, as `pip download --no-deps --only-binary=:all: --platform … \
--python-version … tensorflow-cpu==2.10.0` gives it, or a site-packages folder with an installed one. One of each
minor version is wanted; of those between two given ones nothing is known. TensorFlow itself is not run: op names and
attributes stand in the generated `gen_*_ops.py`, as a serialised OpList up to 2.1 and as calls of `_apply_op_helper`
after it; the GraphDef version in `version.h`.

    { versions: [[version, GraphDef version], ...], ops: { op: version }, attrs: { op: { attribute: version } } }

An op or attribute that the oldest of the wheels has is not listed.
"""
import ast
import json
import os
import re
import sys
import zipfile

GENERATED = re.compile(r"(?:^|/)gen_\w+_ops\w*\.py$")
HEADER = re.compile(r"(?:^|/)core/public/(?:release_)?version\.h$")


def files_of(path):
    """(name, reader) of the files that matter, of a wheel or of a site-packages folder."""
    if os.path.isfile(path):
        wheel = zipfile.ZipFile(path)
        for name in wheel.namelist():
            if GENERATED.search(name) or HEADER.search(name):
                yield name, wheel.read(name).decode("utf-8", "replace")
        return
    for folder, _, names in os.walk(path):
        for name in names:
            full = os.path.join(folder, name)
            if "tensorflow" in full and (GENERATED.search(full) or HEADER.search(full)):
                with open(full, encoding="utf-8", errors="replace") as f:
                    yield full, f.read()


def version_of(path):
    names = [os.path.basename(path)] if os.path.isfile(path) else os.listdir(path)
    for name in names:
        found = re.match(r"tensorflow(?:_cpu)?-(\d+)\.(\d+)\.", name)
        if found:
            return int(found[1]), int(found[2])
    raise SystemExit(f"{path}: no tensorflow wheel or site-packages folder")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of a protobuf message; strings and messages as bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 2:
            size, at = varint(data, at)
            yield key >> 3, data[at:at + size]
            at += size
        elif kind == 0:
            value, at = varint(data, at)
            yield key >> 3, value
        else:
            at += 8 if kind == 1 else 4


def ops_of_list(data):
    """OpList.op = 1; OpDef.name = 1, .attr = 4; AttrDef.name = 1."""
    for number, op in fields(data):
        if number != 1:
            continue
        name, attrs = None, set()
        for field, value in fields(op):
            if field == 1:
                name = value.decode()
            elif field == 4:
                attrs.update(v.decode() for f, v in fields(value) if f == 1)
        yield name, attrs


def ops_of_calls(tree):
    """Ops by `_apply_op_helper("Op", x=x, attr=attr)`, with `_attrs = ("T", …)` in the same function."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        name, keywords, attrs = None, set(), None
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "_apply_op_helper":
                if node.args and isinstance(node.args[0], ast.Constant):
                    name = node.args[0].value
                    keywords = {k.arg for k in node.keywords} - {"name", None}
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_attrs":
                if isinstance(node.value, ast.Tuple):
                    attrs = {e.value for e in node.value.elts[::2] if isinstance(e, ast.Constant)}
        # An op without outputs has no `_attrs`; its keywords are its inputs and attributes together.
        if name:
            yield name, keywords | (attrs or set())


def read(path):
    ops, graph_version = {}, None
    for name, text in files_of(path):
        if HEADER.search(name):
            found = re.search(r"define TF_GRAPH_DEF_VERSION (\d+)", text)
            graph_version = int(found[1]) if found else graph_version
            continue
        tree = ast.parse(text)
        lists = [
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_InitOpDefLibrary"
            and node.args and isinstance(node.args[0], ast.Constant)
        ]
        found = [pair for data in lists for pair in ops_of_list(data)] or list(ops_of_calls(tree))
        for op, attrs in found:
            ops.setdefault(op, set()).update(attrs)
    if not ops or graph_version is None:
        raise SystemExit(f"{path}: {len(ops)} ops, GraphDef version {graph_version}")
    return ops, graph_version


def main():
    releases = {}
    for path in sys.argv[1:]:
        releases[version_of(path)] = read(path)
        print(path, len(releases[version_of(path)][0]), releases[version_of(path)][1], file=sys.stderr)
    known = json.load(open(os.path.join(os.path.dirname(__file__), "../packages/export-core/src/ops/op-defs.json")))
    ops, attrs, versions = {}, {}, []
    for i, version in enumerate(sorted(releases)):
        text = "%d.%d" % version
        defs, graph_version = releases[version]
        versions.append([text, graph_version])
        for op, names in defs.items():
            if op not in ops:
                ops[op] = (i, text)
                attrs[op] = {}
            for name in names:
                attrs[op].setdefault(name, (i, text))
    real = lambda op: {a[0] for a in known[op]["a"]} if op in known else set()
    new_ops = {op: text for op, (i, text) in sorted(ops.items()) if i > 0}
    new_attrs = {
        op: {a: text for a, (i, text) in sorted(attrs[op].items()) if i > ops[op][0] and a in real(op)}
        for op in sorted(attrs)
    }
    lines = [
        '"versions": %s' % json.dumps(versions),
        '"ops": {\n%s\n}' % ",\n".join("  %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in new_ops.items()),
        '"attrs": {\n%s\n}'
        % ",\n".join("  %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in new_attrs.items() if v),
    ]
    print("{\n%s\n}" % ",\n".join(lines))


main()
