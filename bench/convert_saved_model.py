"""What one does without Floe: TFLiteConverter on a SavedModel. To be timed as a whole process.

    python convert_saved_model.py SAVED_MODEL OUT_FILE
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import tensorflow as tf  # noqa: E402

if len(sys.argv) != 3:
    sys.exit(__doc__)
saved_model, out_file = sys.argv[1:]
with open(out_file, "wb") as f:
    f.write(tf.lite.TFLiteConverter.from_saved_model(saved_model).convert())
