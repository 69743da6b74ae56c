"""Runs a command and prints one JSON line: wall seconds and peak memory (kB) of its process, and its exit code.

    python measure.py COMMAND [ARG ...]
"""
import json
import resource
import subprocess
import sys
import time

start = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wall = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"wall": wall, "peak": peak, "code": code}))
