"""Makes the models that the benchmarks use and that are too large to be committed.

    pip install tensorflow-cpu==2.15.1 tf-slim==1.1.0
    python make_models.py [NAME ...]

models/resnet_v1_50       TF-slim's, 224 x 224, random weights, 102 MB; checkpoint and .meta of the inference graph
freeze/dense_1540         layers of 67 MB each, 1.54 GB, all of them in the graph
freeze/dense_100_of_3000  layers of 25 MB each, 3 GB, of which the graph needs 100 MB
"""
import importlib
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import tensorflow.compat.v1 as tf  # noqa: E402

# tf-slim 1.1.0 asks for layers under a name that TF 2.15 has not.
for layers in ("base", "convolutional", "core", "normalization", "pooling"):
    sys.modules["tf_keras.legacy_tf_layers." + layers] = importlib.import_module("keras.src.legacy_tf_layers." + layers)

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL_YAML = """version: 1
name: bench-resnet-v1-50
source: { checkpoint: model.ckpt }
inputs:
  - { name: image, tensor: "input:0", dtype: float32, shape: [1, 224, 224, 3] }
outputs:
  - { name: probabilities, tensor: "resnet_v1_50/predictions/Softmax:0" }
"""


DENSE_YAML = """version: 1
name: bench-{name}
source: {{ checkpoint: model.ckpt }}
inputs:
  - {{ name: x, tensor: "input:0", dtype: float32, shape: [1, {units}] }}
outputs:
  - {{ name: y, tensor: "output:0" }}
"""


def resnet():
    import tf_slim as slim
    from tf_slim.nets import resnet_utils, resnet_v1

    folder = os.path.join(HERE, "models", "resnet_v1_50")
    os.makedirs(folder, exist_ok=True)
    tf.disable_eager_execution()
    tf.disable_resource_variables()
    tf.set_random_seed(1)
    images = tf.placeholder(tf.float32, [None, 224, 224, 3], name="input")
    with slim.arg_scope(resnet_utils.resnet_arg_scope()):
        net, _ = resnet_v1.resnet_v1_50(images, 1000, is_training=False)
    tf.identity(net, name="output")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, os.path.join(folder, "model.ckpt"))
    with open(os.path.join(folder, "model.yaml"), "w") as f:
        f.write(MODEL_YAML)


def dense(name, units, used, unused):
    """`used` layers in a row, and beside them `unused` variables of the same size."""
    folder = os.path.join(HERE, "freeze", name)
    os.makedirs(folder, exist_ok=True)
    tf.disable_eager_execution()
    with tf.Graph().as_default(), tf.Session() as session:
        x = value = tf.placeholder(tf.float32, [None, units], name="input")
        for i in range(used + unused):
            initial = tf.random_uniform_initializer(-0.02, 0.02, seed=i)
            kernel = tf.get_variable("layer_%d/kernel" % i, [units, units], initializer=initial, use_resource=False)
            value = tf.tanh(tf.matmul(value, kernel)) if i < used else value
        tf.identity(value, name="output")
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, os.path.join(folder, "model.ckpt"))
    with open(os.path.join(folder, "model.yaml"), "w") as f:
        f.write(DENSE_YAML.format(name=name.replace("_", "-"), units=units))


MODELS = {
    "resnet_v1_50": resnet,
    "dense_1540": lambda: dense("dense_1540", 4096, 23, 0),
    "dense_100_of_3000": lambda: dense("dense_100_of_3000", 2500, 4, 116),
}
for model in sys.argv[1:] or MODELS:
    MODELS[model]()
