"""A trained network for tests of bias correction: a small MobileNet that tells the direction and width of gratings, as
TensorFlow converts it to float; samples; and logits of the float file and of TensorFlow's own int8 file. It sees small
differences of large values, which the mean error of rounded weights is large beside.

    pip install tensorflow-cpu==2.15.1 numpy==1.26.4
    python scripts/bias-fixture.py        writes packages/executor-tflite/src/quantize/fixtures/gratings*
"""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "packages/executor-tflite/src/quantize/fixtures")
SIZE = 24
DIRECTIONS, WIDTHS = 6, 2
CALIBRATION, SCORED = 16, 24


def gratings(rng, count):
    """Bright images of little contrast, in 0…1, and their classes."""
    labels = rng.integers(0, DIRECTIONS * WIDTHS, count)
    y, x = np.mgrid[:SIZE, :SIZE]
    images = np.empty((count, SIZE, SIZE, 1), np.float32)
    for image, label in zip(images, labels):
        angle = (label % DIRECTIONS + rng.uniform(-0.3, 0.3)) * np.pi / DIRECTIONS
        period = (4, 8)[label // DIRECTIONS] * rng.uniform(0.85, 1.15)
        wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + rng.uniform(0, 6.3))
        light = rng.uniform(0.6, 0.8) + rng.uniform(0.03, 0.1) * wave + rng.normal(0, 0.03, wave.shape)
        image[..., 0] = np.clip(light, 0, 1)
    return images, labels


def network():
    layers = tf.keras.layers

    def block(x, filters, stride):
        x = layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
        x = layers.Conv2D(filters, 1, use_bias=False)(x)
        return layers.ReLU(6.0)(layers.BatchNormalization()(x))

    x = inputs = tf.keras.Input((SIZE, SIZE, 1))
    x = layers.Conv2D(12, 3, 2, "same", use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    for filters, stride in ((24, 1), (32, 2), (32, 1), (48, 2), (48, 1)):
        x = block(x, filters, stride)
    x = layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(inputs, layers.Dense(DIRECTIONS * WIDTHS)(x))


def convert(model, calibration=None):
    spec = tf.TensorSpec([1, SIZE, SIZE, 1], tf.float32, name="image")
    serve = tf.function(lambda image: {"logits": model(image, training=False)}, input_signature=[spec])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()], model)
    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ({"image": image} for image in calibration)
    return converter.convert()


def run(content, images):
    # Reference kernels: no delegate that computes in another way.
    resolver = tf.lite.experimental.OpResolverType.BUILTIN_REF
    interpreter = tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    results = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
        interpreter.invoke()
        results.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.stack(results)


def main():
    tf.keras.utils.set_random_seed(5)
    tf.config.experimental.enable_op_determinism()
    rng = np.random.default_rng(5)
    model = network()
    model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])
    images, labels = gratings(rng, 6000)
    model.fit(images, labels, 64, epochs=12, verbose=2)
    print("accuracy", model.evaluate(*gratings(rng, 1000), verbose=0)[1])
    calibration, scored = (gratings(rng, n)[0][:, None] for n in (CALIBRATION, SCORED))
    content = convert(model)
    with open(os.path.join(OUT, "gratings.tflite"), "wb") as f:
        f.write(content)
    np.savez_compressed(os.path.join(OUT, "gratings.npz"), image=calibration)
    outputs = {"float": run(content, scored), "int8": run(convert(model, calibration), scored)}
    np.savez_compressed(os.path.join(OUT, "gratings_scored.npz"), image=scored, **outputs)
    error = outputs["int8"] - outputs["float"]
    print("relative error of int8", np.sqrt((error**2).sum() / (outputs["float"] ** 2).sum()))


main()
