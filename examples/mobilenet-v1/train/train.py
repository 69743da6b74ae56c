"""Draws shapes, trains a TF-slim MobileNet v1 0.25/128 on them, writes the checkpoint of this example.

    python -m pip install -r requirements.txt
    python train.py

Writes ../ckpt (checkpoint and .meta of the evaluation graph), ../labels.txt, ../samples.npz.
"""
import argparse
import concurrent.futures
import glob
import importlib
import os
import shutil
import sys
import tempfile
import time

import numpy as np
import tensorflow as tf2
import tensorflow.compat.v1 as tf
import tf_slim as slim

# TensorFlow 2.15 looks for the layers that tf-slim builds on in a package which its own Keras keeps elsewhere.
for layers in ['convolutional', 'core', 'normalization', 'pooling']:
  sys.modules[f'tf_keras.legacy_tf_layers.{layers}'] = importlib.import_module(f'keras.src.legacy_tf_layers.{layers}')

SIZE = 128
LABELS = ['circle', 'ellipse', 'square', 'triangle', 'star', 'cross', 'ring', 'crescent', 'stripes', 'checker']
TRAIN_SEED, HELD_OUT_SEED = 1, 2

# ---------------------------------------------------------------- images

GRID = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), 0).astype(np.float32) + 0.5


def polygon_distance(x, y, radii):
  """Distance to the polygon with one vertex of the given radius per equal angle step, negative inside."""
  angle = 2 * np.pi * np.arange(len(radii)) / len(radii)
  vx, vy = np.cos(angle) * radii, np.sin(angle) * radii
  distance, inside = np.inf, np.zeros(x.shape, bool)
  for i in range(len(radii)):
    ax, ay, bx, by = vx[i - 1], vy[i - 1], vx[i], vy[i]
    ex, ey, px, py = bx - ax, by - ay, x - ax, y - ay
    t = np.clip((px * ex + py * ey) / (ex * ex + ey * ey), 0, 1)
    distance = np.minimum(distance, np.hypot(px - t * ex, py - t * ey))
    if ay != by:
      inside ^= ((ay > y) != (by > y)) & (px < ex * py / ey)
  return np.where(inside, -distance, distance)


def shape_distance(label, x, y, r, rng):
  """Signed distance in pixels (about) to the outline of a shape of radius r round the origin."""
  d = np.hypot(x, y)
  if label == 'circle':
    return d - r
  if label == 'ellipse':
    k = rng.uniform(0.4, 0.62)
    return (np.hypot(x, y / k) - r) * k
  if label == 'square':
    return np.maximum(abs(x), abs(y)) - 0.82 * r
  if label == 'triangle':
    return polygon_distance(x, y, np.full(3, 1.15 * r))
  if label == 'star':
    return polygon_distance(x, y, np.tile([1.2 * r, rng.uniform(0.42, 0.55) * r], 5))
  if label == 'cross':
    w = rng.uniform(0.24, 0.36) * r
    a, b = abs(x), abs(y)
    return np.minimum(np.maximum(a - r, b - w), np.maximum(a - w, b - r))
  if label == 'ring':
    w = rng.uniform(0.14, 0.24) * r
    return abs(d - (r - w)) - w
  if label == 'crescent':
    return np.maximum(d - r, rng.uniform(0.8, 0.9) * r - np.hypot(x - rng.uniform(0.4, 0.5) * r, y))
  # Textures: fill the whole image.
  period = rng.uniform(12, 26)
  wave = lambda v: abs((v / period) % 1 - 0.5) - 0.25
  if label == 'stripes':
    return wave(x) * period
  return np.sign(wave(x) * wave(y)) * np.minimum(abs(wave(x)), abs(wave(y))) * period  # checker


def draw(label, rng):
  """One uint8 image: background with a slope, shape, noise."""
  r = rng.uniform(0.2, 0.42) * SIZE
  cx, cy = rng.uniform(1.05 * r, SIZE - 1.05 * r, 2)
  turn = rng.uniform(0, 2 * np.pi)
  x, y = GRID[0] - cx, GRID[1] - cy
  x, y = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
  mask = np.clip(0.5 - shape_distance(label, x, y, r, rng), 0, 1)[..., None]
  while True:
    back, front = rng.uniform(0, 255, (2, 3))
    if abs(back - front).sum() > 180:
      break
  slope = (GRID - SIZE / 2).transpose(1, 2, 0) @ rng.uniform(-0.3, 0.3, 2)
  image = back + (front - back) * mask + slope[..., None]
  image += rng.normal(0, rng.uniform(1, 14), image.shape)
  return np.clip(np.round(image), 0, 255).astype(np.uint8)


def batch(seed, start, n):
  """Images number start..start+n-1 of the endless set `seed`, scaled to [-1, 1], and their labels."""
  images, labels = [], []
  for i in range(start, start + n):
    rng = np.random.default_rng((seed, i))
    labels.append(i % len(LABELS))
    images.append(draw(LABELS[labels[-1]], rng))
  return (np.stack(images) / 127.5 - 1).astype(np.float32), np.array(labels, np.int64)


def batches(seed, total, n):
  """The first `total` images in batches of n, drawn ahead in a thread."""
  with concurrent.futures.ThreadPoolExecutor(1) as pool:
    ahead = pool.submit(batch, seed, 0, n)
    for start in range(n, total, n):
      ready, ahead = ahead, pool.submit(batch, seed, start, n)
      yield ready.result()
    yield ahead.result()


# ---------------------------------------------------------------- network

# (stride, depth) of the 13 depthwise + pointwise pairs, at width 1.0
PAIRS = [(1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), (1, 512), (1, 512), (1, 512), (1, 512), (1, 512),
         (2, 1024), (1, 1024)]


def arg_scope(is_training, weight_decay=4e-5, stddev=0.09, batch_norm_decay=0.95):
  init = tf.truncated_normal_initializer(stddev=stddev)
  with slim.arg_scope([slim.conv2d, slim.separable_conv2d], weights_initializer=init, activation_fn=tf.nn.relu6,
                      normalizer_fn=slim.batch_norm, padding='SAME'), \
       slim.arg_scope([slim.batch_norm], is_training=is_training, center=True, scale=True,
                      decay=batch_norm_decay, epsilon=0.001), \
       slim.arg_scope([slim.dropout], is_training=is_training), \
       slim.arg_scope([slim.conv2d], weights_regularizer=slim.l2_regularizer(weight_decay)), \
       slim.arg_scope([slim.separable_conv2d], weights_regularizer=None) as scope:
    return scope


def mobilenet_v1(images, num_classes, width, dropout_keep_prob=0.999):
  """Logits and probabilities."""
  depth = lambda d: max(int(d * width), 8)
  with tf.variable_scope('MobilenetV1', values=[images]):
    net = slim.conv2d(images, depth(32), [3, 3], stride=2, scope='Conv2d_0')
    for i, (stride, filters) in enumerate(PAIRS, 1):
      # num_outputs=None: the depthwise half only
      net = slim.separable_conv2d(net, None, [3, 3], depth_multiplier=1, stride=stride, scope=f'Conv2d_{i}_depthwise')
      net = slim.conv2d(net, depth(filters), [1, 1], scope=f'Conv2d_{i}_pointwise')
    with tf.variable_scope('Logits'):
      net = slim.avg_pool2d(net, net.shape[1:3], padding='VALID', scope='AvgPool_1a')
      net = slim.dropout(net, keep_prob=dropout_keep_prob, scope='Dropout_1b')
      net = slim.conv2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope='Conv2d_1c_1x1')
      logits = tf.squeeze(net, [1, 2], name='SpatialSqueeze')
    return logits, slim.softmax(logits, scope='Predictions')


def build(is_training):
  tf.set_random_seed(TRAIN_SEED)
  images = tf.placeholder(tf.float32, [None, SIZE, SIZE, 3], name='input')
  with slim.arg_scope(arg_scope(is_training)):
    return (images,) + mobilenet_v1(images, len(LABELS), width=0.25)


# ---------------------------------------------------------------- train, evaluate, write

def train(steps, batch_size, log_dir):
  with tf.Graph().as_default():
    images, logits, _ = build(is_training=True)
    labels = tf.placeholder(tf.int64, [None], name='labels')
    # Smoothed labels keep the probabilities away from 0 and 1, where a wrong conversion would not show.
    tf.losses.softmax_cross_entropy(tf.one_hot(labels, len(LABELS)), logits, label_smoothing=0.1)
    loss = tf.losses.get_total_loss()
    global_step = tf.train.get_or_create_global_step()
    rate = tf.train.cosine_decay(4e-3, global_step, steps)
    train_op = slim.learning.create_train_op(loss, tf.train.AdamOptimizer(rate), global_step)  # runs UPDATE_OPS too
    with tf.Session() as sess:
      sess.run(tf.global_variables_initializer())
      begin = time.time()
      for step, (x, y) in enumerate(batches(TRAIN_SEED, steps * batch_size, batch_size)):
        value = sess.run(train_op, {images: x, labels: y})
        if step % 50 == 0 or step == steps - 1:
          print(f'step {step}: loss {value:.3f}, {time.time() - begin:.0f} s', flush=True)
      return tf.train.Saver().save(sess, os.path.join(log_dir, 'model.ckpt'), global_step=global_step)


def export(checkpoint, out, held_out):
  """Writes checkpoint and .meta from the evaluation graph: batch norm and dropout in inference mode, no optimizer."""
  with tf.Graph().as_default():
    images, _, probabilities = build(is_training=False)
    global_step = tf.train.get_or_create_global_step()
    saver = tf.train.Saver(slim.get_model_variables() + [global_step], save_relative_paths=True)
    with tf.Session() as sess:
      saver.restore(sess, checkpoint)
      right = 0
      for x, y in batches(HELD_OUT_SEED, held_out, 100):
        right += (sess.run(probabilities, {images: x}).argmax(1) == y).sum()
      print(f'held-out accuracy: {right}/{held_out} = {right / held_out:.4f}')

      for old in glob.glob(os.path.join(out, 'ckpt', '*')):
        os.remove(old)
      prefix = saver.save(sess, os.path.join(out, 'ckpt', 'model.ckpt'), global_step=global_step, write_meta_graph=False)
      saver.export_meta_graph(prefix + '.meta', clear_devices=True)
      print(f'{prefix}: {images.name} -> {probabilities.name}')


def main():
  parser = argparse.ArgumentParser()
  parser.add_argument('--steps', type=int, default=2000)
  parser.add_argument('--batch', type=int, default=64)
  parser.add_argument('--held-out', type=int, default=2000)
  parser.add_argument('--out', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
  args = parser.parse_args()
  tf.disable_eager_execution()
  tf2.config.experimental.enable_op_determinism()
  tf.disable_resource_variables()  # ref variables, like TensorFlow 1
  os.makedirs(os.path.join(args.out, 'ckpt'), exist_ok=True)

  log_dir = tempfile.mkdtemp()
  try:
    export(train(args.steps, args.batch, log_dir), args.out, args.held_out)
  finally:
    shutil.rmtree(log_dir)
  with open(os.path.join(args.out, 'labels.txt'), 'w') as f:
    f.write('\n'.join(LABELS) + '\n')
  # First axis: samples; each is one invocation with a batch of one. Not among the images the accuracy was measured on.
  samples, _ = batch(HELD_OUT_SEED, args.held_out, 8)
  np.savez_compressed(os.path.join(args.out, 'samples.npz'), image=samples[:, None])


if __name__ == '__main__':
  main()
