"""TensorFlow's own freeze_graph, as a whole process.

    python freeze_graph.py PREFIX OUTPUT_NODE OUT.pb
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
from tensorflow.python.tools import freeze_graph  # noqa: E402

prefix, output, out = sys.argv[1:]
freeze_graph.freeze_graph(
    input_graph=None,
    input_saver="",
    input_binary=True,
    input_checkpoint=prefix,
    output_node_names=output,
    restore_op_name="",
    filename_tensor_name="",
    output_graph=out,
    clear_devices=True,
    initializer_nodes="",
    input_meta_graph=prefix + ".meta",
)
