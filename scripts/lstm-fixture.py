"""LSTM fixture: a float model with two fused LSTMs, samples, what TensorFlow's own int8 converter makes of them, and
what its interpreter computes with that for the first samples, each from zero states.

    pip install tensorflow-cpu==2.15.1 numpy==1.26.4
    python scripts/lstm-fixture.py        writes packages/executor-tflite/src/quantize/fixtures/lstm*

TensorFlow 2.15 because Keras 2 marks its LSTM layers so that the converter fuses them.
"""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "packages/executor-tflite/src/quantize/fixtures")
OUTPUTS = 6


def main():
    tf.keras.utils.set_random_seed(3)
    x = tf.keras.Input((10, 12), batch_size=1, name="x")
    y = tf.keras.layers.LSTM(16, return_sequences=True)(x)
    y = tf.keras.layers.LSTM(20)(y)
    model = tf.keras.Model(x, tf.keras.layers.Dense(4)(y))
    spec = tf.TensorSpec([1, 10, 12], tf.float32, name="x")
    serve = tf.function(lambda x: {"y": model(x)}, input_signature=[spec])
    samples = np.cumsum(np.random.default_rng(1).standard_normal((20, 1, 10, 12)), 2).astype(np.float32) * 0.5
    os.makedirs(OUT, exist_ok=True)
    np.savez(os.path.join(OUT, "lstm.npz"), x=samples)
    for name, quantised in (("lstm", False), ("lstm_int8", True)):
        converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()], model)
        if quantised:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ({"x": s} for s in samples)
        with open(os.path.join(OUT, f"{name}.tflite"), "wb") as f:
            f.write(converter.convert())
    outputs = [run(os.path.join(OUT, "lstm_int8.tflite"), sample) for sample in samples[:OUTPUTS]]
    np.savez(os.path.join(OUT, "lstm_int8_outputs.npz"), y=np.stack(outputs))


def run(path, sample):
    # Reference kernels; a new interpreter has zero states.
    interpreter = tf.lite.Interpreter(
        path, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


main()
