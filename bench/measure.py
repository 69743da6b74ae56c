"""Runs a command and prints one JSON line: wall and CPU seconds, peak memory (kB), and its exit code.

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
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
print(json.dumps({"wall": wall, "cpu": cpu, "peak": used.ru_maxrss, "code": code}))
