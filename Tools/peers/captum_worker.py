"""Captum's LRP of VGG16 behind the line protocol of vgg16_lrp.py. The model file is not read: the same weights are made again.

Alpha1_Beta0_Rule sits on every convolution and fully connected layer. Captum drops its rules after each call, so they are set before
each; poolings and rectifiers are left to what Captum does with them. Both are inside the measured time, as they are for its users.

Usage: captum_worker.py MODEL.onnx INPUT.npy [--threads N] [--target class:K]
"""
import argparse
import sys
import time
import warnings

import numpy as np
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule

import vgg16

warnings.filterwarnings("ignore", message="Input Tensor 0 did not already require gradients")

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("input")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--target", type=lambda text: int(text.removeprefix("class:")))
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
network = vgg16.network()
picture = torch.from_numpy(np.load(arguments.input, allow_pickle=False))
with torch.no_grad():
    logits = network(picture)[0]
target = int(logits.argmax()) if arguments.target is None else arguments.target


def explain():
    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.rule = Alpha1_Beta0_Rule()
    return LRP(network).attribute(picture, target=target)


explain()
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "quit":
        break
    start = time.perf_counter()
    relevance = explain()
    elapsed = time.perf_counter() - start
    print(f"{1000 * elapsed:.3f} {relevance.sum(dtype=torch.float64).item():.9g} {logits[target].item():.9g}", flush=True)
