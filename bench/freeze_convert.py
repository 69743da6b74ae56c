"""What one does without Floe: freeze_graph, then TFLiteConverter. To be timed as a whole process.

    python freeze_convert.py CKPT_PREFIX OUTPUT_NODE INPUT_NODE SHAPE OUT_DIR
    python freeze_convert.py ckpt/model.ckpt-10 MobilenetV1/Predictions/Reshape_1 input 1,128,128,3 out

The graph is CKPT_PREFIX.meta. Writes OUT_DIR/frozen.pb and OUT_DIR/model.tflite (float). Needs only TensorFlow.
"""
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import tensorflow.compat.v1 as tf
from tensorflow.python.tools import freeze_graph


def main(checkpoint, output_node, input_node, shape, out_dir):
  tf.disable_eager_execution()
  os.makedirs(out_dir, exist_ok=True)
  frozen = os.path.join(out_dir, 'frozen.pb')
  freeze_graph.freeze_graph(
      input_graph=None, input_saver='', input_binary=True, input_checkpoint=checkpoint,
      output_node_names=output_node, restore_op_name=None, filename_tensor_name=None, output_graph=frozen,
      clear_devices=True, initializer_nodes='', input_meta_graph=checkpoint + '.meta')
  converter = tf.lite.TFLiteConverter.from_frozen_graph(
      frozen, [input_node], [output_node], {input_node: [int(d) for d in shape.split(',')]})
  with open(os.path.join(out_dir, 'model.tflite'), 'wb') as f:
    f.write(converter.convert())


if __name__ == '__main__':
  if len(sys.argv) != 6:
    sys.exit(__doc__)
  main(*sys.argv[1:])
