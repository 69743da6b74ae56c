"""Makes the SavedModels that bench/convert.mjs converts: random weights, batch 1.

    pip install tensorflow-cpu==2.21.0
    python make_keras_models.py [NAME ...]     (MobileNetV2 ResNet50 EfficientNetB0)
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL_YAML = """version: 1
name: bench-{name}
source: {{ savedModel: saved_model }}
"""

for name in sys.argv[1:] or ("MobileNetV2", "ResNet50", "EfficientNetB0"):
    keras.utils.set_random_seed(1)
    folder = os.path.join(HERE, "saved", name.lower())
    os.makedirs(folder, exist_ok=True)
    model = getattr(keras.applications, name)(weights=None)
    image = keras.Input(batch_shape=(1,) + model.input_shape[1:], name="image")
    keras.Model(image, model(image)).export(os.path.join(folder, "saved_model"), verbose=False)
    with open(os.path.join(folder, "model.yaml"), "w") as f:
        f.write(MODEL_YAML.format(name=name.lower()))
