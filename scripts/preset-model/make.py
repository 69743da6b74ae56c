"""Trains the model of the workspace preset, sin(x), and writes it as a SavedModel with samples for its quantisation.

    python scripts/preset-model/make.py packages/generators/src/generators/preset/files
"""
import os
import shutil
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

UNITS = 16
STEPS = 6000


class Sine(tf.Module):
    def __init__(self):
        super().__init__()
        init = tf.random.Generator.from_seed(7)
        sizes = [1, UNITS, UNITS, 1]
        self.weights = [
            tf.Variable(init.normal([a, b]) / np.sqrt(a), name=f"dense_{i}/kernel")
            for i, (a, b) in enumerate(zip(sizes, sizes[1:]))
        ]
        self.biases = [tf.Variable(tf.zeros([b]), name=f"dense_{i}/bias") for i, b in enumerate(sizes[1:])]

    def layers(self, x):
        for w, b in zip(self.weights[:-1], self.biases[:-1]):
            x = tf.nn.relu(x @ w + b)
        return x @ self.weights[-1] + self.biases[-1]

    @tf.function(input_signature=[tf.TensorSpec([1, 1], tf.float32, "x")])
    def serve(self, x):
        return {"y": self.layers(x)}


def main(folder):
    model = Sine()
    draw = np.random.default_rng(7)
    variables = model.weights + model.biases
    moments = [(tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in variables]

    @tf.function
    def step(x, rate, t):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model.layers(x) - tf.sin(x)) ** 2)
        for v, g, (m, s) in zip(variables, tape.gradient(loss, variables), moments):
            m.assign(0.9 * m + 0.1 * g)
            s.assign(0.999 * s + 0.001 * g * g)
            v.assign_sub(rate * m / (1 - 0.9**t) / (tf.sqrt(s / (1 - 0.999**t)) + 1e-8))
        return loss

    for i in range(STEPS):
        x = draw.uniform(0, 2 * np.pi, (64, 1)).astype("float32")
        loss = step(x, tf.constant(0.005 * 0.5 ** (i / 1500)), tf.constant(float(i + 1)))
    grid = np.linspace(0, 2 * np.pi, 200, dtype="float32")[:, None]
    print("loss", float(loss), "worst", float(np.abs(model.layers(grid) - np.sin(grid)).max()))

    target = os.path.join(folder, "saved_model")
    shutil.rmtree(target, ignore_errors=True)
    tf.saved_model.save(model, target, signatures=model.serve)
    os.rmdir(os.path.join(target, "assets"))
    samples = draw.uniform(0, 2 * np.pi, (100, 1, 1)).astype("float32")
    np.savez(os.path.join(folder, "samples.npz"), x=samples)


main(sys.argv[1])
