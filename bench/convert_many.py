"""Converts small frozen graphs with TensorFlow's converter, one after another in one process; prints the time each took.

    python convert_many.py FOLDER...    (each with a graph.pbtxt from x:0 to y:0)
"""
import os
import statistics
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
START = time.perf_counter()

import tensorflow.compat.v1 as tf
from google.protobuf import text_format

LOADED = time.perf_counter()


def convert(folder):
  with open(os.path.join(folder, 'graph.pbtxt')) as f:
    graph_def = text_format.Parse(f.read(), tf.GraphDef())
  graph = tf.Graph()
  with graph.as_default():
    tf.import_graph_def(graph_def, name='')
  with tf.Session(graph=graph) as session:
    tensors = [[graph.get_tensor_by_name(name)] for name in ('x:0', 'y:0')]
    model = tf.lite.TFLiteConverter.from_session(session, *tensors).convert()
  with open(os.path.join(folder, 'tensorflow.tflite'), 'wb') as f:
    f.write(model)


times = []
for folder in sys.argv[1:]:
  start = time.perf_counter()
  convert(folder)
  times.append(time.perf_counter() - start)
print(f'TensorFlow {tf.version.VERSION}: {LOADED - START:.1f} s to load, then {statistics.median(times) * 1000:.0f} ms '
      f'a model (median of {len(times)})')
