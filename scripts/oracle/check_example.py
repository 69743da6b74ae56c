"""Compares what Floe made of examples/mobilenet-v1 with TensorFlow itself, on the example's samples.

    python scripts/oracle/check_example.py      after: npx nx run mobilenet-v1:export-tflite

The reference is a session on the checkpoint's own graph. Checked against it: the frozen graph in a session, the
.tflite in TensorFlow's interpreter, and that the .tflite has no more operators than TFLiteConverter's.
"""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "mobilenet-v1")
DIST = os.path.join(ROOT, "dist")
tf1 = tf.compat.v1
INPUT, OUTPUT = "input:0", "MobilenetV1/Predictions/Reshape_1:0"
NO_DELEGATES = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def reference(samples):
    prefix = tf.train.latest_checkpoint(os.path.join(ROOT, "ckpt"))
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.train.import_meta_graph(prefix + ".meta").restore(session, prefix)
        return [session.run(OUTPUT, {INPUT: x}) for x in samples]


def frozen(samples):
    graph = tf1.GraphDef()
    with open(os.path.join(DIST, "frozen", "graph.pb"), "rb") as f:
        graph.ParseFromString(f.read())
    with tf.Graph().as_default(), tf1.Session() as session:
        tf.import_graph_def(graph, name="")
        return [session.run(OUTPUT, {INPUT: x}) for x in samples]


def lite(samples):
    path = os.path.join(DIST, "float", "model.tflite")
    interpreter = tf.lite.Interpreter(model_path=path, experimental_op_resolver_type=NO_DELEGATES)
    runner = interpreter.get_signature_runner("serving_default")
    return [runner(image=x)["probabilities"] for x in samples], len(interpreter._get_ops_details())


def converter_operators():
    converter = tf1.lite.TFLiteConverter.from_frozen_graph(
        os.path.join(DIST, "frozen", "graph.pb"), [INPUT[:-2]], [OUTPUT[:-2]], {INPUT[:-2]: [1, 128, 128, 3]})
    interpreter = tf.lite.Interpreter(model_content=converter.convert(), experimental_op_resolver_type=NO_DELEGATES)
    return len(interpreter._get_ops_details())


def main():
    samples = list(np.load(os.path.join(ROOT, "samples.npz"))["image"])
    want = reference(samples)
    outputs, operators = lite(samples)
    checks = {
        "frozen graph": max(np.abs(a - b).max() for a, b in zip(frozen(samples), want)),
        ".tflite": max(np.abs(a - b).max() for a, b in zip(outputs, want)),
    }
    theirs = converter_operators()
    print(json.dumps({**{k: float(v) for k, v in checks.items()}, "operators": operators, "of TFLiteConverter": theirs}))
    if any(not v <= 1e-5 for v in checks.values()) or operators > theirs:
        sys.exit("differs from TensorFlow")


main()
