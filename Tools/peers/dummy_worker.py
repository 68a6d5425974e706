"""Speaks the line protocol of vgg16_lrp.py and computes nothing: for testing that script. Takes the arguments of a real worker."""
import sys
import time

print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "quit":
        break
    time.sleep(0.1)
    print("100.0 1.0 1.0", flush=True)
