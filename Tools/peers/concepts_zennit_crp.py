#!/usr/bin/env python3
"""Times zennit-crp for conditional maps of many channels: CondAttribution.generate on the last convolution of a seeded VGG16.

    python Tools/peers/concepts_zennit_crp.py                   times for several batch sizes, in milliseconds
    python Tools/peers/concepts_zennit_crp.py --serve 10        a worker behind the line protocol of measuring.py

A run calls `generate` for all conditions: one forward pass of a batch of equal images, and a backward pass for each batch of conditions. The
maps are summed over the colors, as zennit-crp does. The network is that of networks.py. Requires requirements.txt and
`pip install --no-deps zennit-crp==0.6.0 matplotlib tqdm`.
"""
import argparse
import resource
import statistics
import sys
import time
import warnings

import numpy as np
import torch
from crp.attribution import CondAttribution
from zennit.composites import EpsilonPlusFlat

import networks

LAYER = "features.28"


def explainer(conditions, batch, seed_class=None):
    """A function that computes all maps, and the score of the explained class."""
    network = networks.network("vgg16")
    pixels = torch.from_numpy(networks.image())
    with torch.no_grad():
        logits = network(pixels)[0]
    target = int(logits.argmax()) if seed_class is None else seed_class
    attribution = CondAttribution(network)
    asked = [{LAYER: [channel], "y": [target]} for channel in range(conditions)]

    def maps():
        data = pixels.clone().requires_grad_()
        parts = attribution.generate(data, asked, EpsilonPlusFlat(), batch_size=batch, verbose=False)
        return np.concatenate([part.heatmap.numpy() for part in parts])
    return maps, logits[target].item()


def timed(maps):
    start = time.perf_counter()
    result = maps()
    return 1000 * (time.perf_counter() - start), result


def serve(arguments):
    maps, score = explainer(arguments.conditions, arguments.serve, arguments.target)
    result = maps()
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, path = line.strip().partition(" ")
        if word == "run":
            milliseconds, result = timed(maps)
            print(f"{milliseconds:.3f} {result.sum(dtype=np.float64):.9g} {score:.9g}", flush=True)
        elif word == "save":
            np.save(path, result)
            print("saved", flush=True)
        elif word == "quit":
            break


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conditions", type=int, default=100)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 5, 10, 20], help="batch sizes to time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--target", type=int, help="the class to explain (default: the most probable one)")
    parser.add_argument("--serve", type=int, metavar="BATCH", help="answer `run`, `save PATH` and `quit`, with this batch size")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore")
    if arguments.serve:
        return serve(arguments)
    print(f"{arguments.conditions} conditions on {LAYER}, {arguments.threads} threads, median of {arguments.rounds} rounds")
    for batch in arguments.batches:
        maps, _ = explainer(arguments.conditions, batch, arguments.target)
        times = [timed(maps)[0] for _ in range(arguments.rounds)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(f"batch {batch}: {statistics.median(times):.0f} ms (least {min(times):.0f}), peak memory so far {peak:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
