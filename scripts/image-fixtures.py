"""Image fixtures: small files of each kind, and what TensorFlow makes of them.

    pip install tensorflow-cpu==2.21.0 keras==3.15.1 numpy==2.4.6
    python scripts/image-fixtures.py        writes packages/executor-tflite/src/verify/images/fixtures/

values.json: {"decoded": {file: {"shape", "rgb"}}, "resized": [{"file", "method", "fit", "size", "values"}]}
"""
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

OUT = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "packages/executor-tflite/src/verify/images/fixtures"
)
rng = np.random.default_rng(5)


def picture(height, width, channels):
    """Smooth, so that JPEG keeps it, with some noise."""
    coarse = rng.uniform(0, 255, (1, 4, 4, channels))
    smooth = tf.image.resize(coarse, (height, width), "bicubic")[0].numpy()
    return np.clip(smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)


def accurate(data, channels):
    return tf.io.decode_jpeg(data, channels=channels, dct_method="INTEGER_ACCURATE")


def main():
    os.makedirs(OUT, exist_ok=True)
    files = {
        "colour.png": tf.io.encode_png(picture(9, 14, 3)),
        "alpha.png": tf.io.encode_png(picture(5, 4, 4)),
        "grey.png": tf.io.encode_png(picture(6, 5, 1)),
        "deep.png": tf.io.encode_png(picture(4, 6, 3).astype(np.uint16) * 257),
        "colour.jpg": tf.io.encode_jpeg(picture(18, 25, 3), quality=95, chroma_downsampling=False),
        "halved.jpg": tf.io.encode_jpeg(picture(18, 25, 3), quality=95),
        "grey.jpg": tf.io.encode_jpeg(picture(16, 8, 1), format="grayscale", quality=95),
    }
    decoded = {}
    for name, data in files.items():
        tf.io.write_file(os.path.join(OUT, name), data)
        # Its default transform of JPEG is the fast one, which is off by up to 8.
        read = tf.io.decode_png if name.endswith("png") else accurate
        pixels = read(data, channels=3).numpy()
        decoded[name] = {"shape": list(pixels.shape), "rgb": pixels.ravel().tolist()}
    resized = []
    colour = tf.io.decode_png(files["colour.png"])
    for method in ("bilinear", "nearest", "area"):
        for size in ((6, 8), (12, 17), (4, 30)):
            flat = {
                "stretch": tf.image.resize(colour, size, method),
                "pad": tf.image.resize_with_pad(colour, *size, method=method),
            }
            if method != "area":
                flat["crop"] = keras.preprocessing.image.smart_resize(colour, size, interpolation=method)
            for fit, values in flat.items():
                values = np.asarray(values, np.float64).round(3).ravel().tolist()
                entry = {"file": "colour.png", "method": method, "fit": fit, "size": list(size)}
                resized.append({**entry, "values": values})
    with open(os.path.join(OUT, "values.json"), "w") as f:
        json.dump({"decoded": decoded, "resized": resized}, f, separators=(",", ":"))
        f.write("\n")


main()
