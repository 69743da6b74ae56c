"""Fixtures of ops that TensorFlow keeps for old graphs only."""
import base64

from common import encode, shape_of, tf, tf1


def removed(f, op, arrays, producer, **attrs):
    """A case of an op that only graphs of this producer version or an older one may have."""
    def built(shapes):
        graph = tf.Graph()
        old = tf1.GraphDef()
        old.versions.producer = producer
        for i, (a, shape) in enumerate(zip(arrays, shapes)):
            node = old.node.add(name="i%d" % i, op="Placeholder")
            node.attr["dtype"].type = tf.as_dtype(a.dtype).as_datatype_enum
            node.attr["shape"].shape.CopyFrom(tf.TensorShape(shape).as_proto())
        node = old.node.add(name=op, op=op, input=["i%d" % i for i in range(len(arrays))])
        node.attr["T"].type = tf.as_dtype(arrays[0].dtype).as_datatype_enum
        for key, value in attrs.items():
            setattr(node.attr[key], {bool: "b", int: "i", float: "f"}[type(value)], value)
        with graph.as_default():
            tf.import_graph_def(old, name="")
        return graph, graph.get_operation_by_name(op)

    full = [list(a.shape) for a in arrays]
    graph, node = built(full)
    with tf1.Session(graph=graph) as s:
        got = s.run(list(node.outputs), {"i%d:0" % i: a for i, a in enumerate(arrays)})
    shapes = [full, [[None] + s[1:] for s in full], [None] * len(full)]
    f.cases.append({
        "name": "%s/%d" % (op, sum(c["name"].startswith(op + "/") for c in f.cases)),
        "node": base64.b64encode(node.node_def.SerializeToString(deterministic=True)).decode(),
        "inputs": [encode(a, tf.as_dtype(a.dtype)) for a in arrays],
        "outputs": [encode(a, t.dtype) for a, t in zip(got, node.outputs)],
        "shapes": [{"in": [None if s is None else [-1 if d is None else d for d in s] for s in known], "const": [],
                    "out": [shape_of(t) for t in built(known)[1].outputs]} for known in shapes],
    })
