"""Writes the oracle's relevance maps of the seeded networks for their top class.

    python -m writers.write_maps --scratch FOLDER [NAME...]

`lrp` is R. `clrp1` and `clrp2` are the signed R - R_dual; the contrastive map is its positive part.
"""

import argparse
import time

import torch

import storage
from onnx_files import FIXTURES, complete_model
from oracles.oracle import Oracle
from images import IMAGENET_BOX
from storage import save_map
from writers.export_networks import NETWORKS

FOLDER = FIXTURES / "maps"
METHODS = ("lrp", "clrp1", "clrp2")

# network: the tables to explain it with
MAPS = {
    "alexnet-96": ("default",),
    "vgg16-torchscript": ("default",),
    "googlenet-torchscript": ("default", "paper"),
    "googlenet-dynamo": ("default",),
    "googlenet-batchnorm": ("default",),
}


def write_maps_of(oracle, network, table, target):
    """The maps of a class by all methods, as arrays [C, H, W]."""
    for method in METHODS:
        start = time.perf_counter()
        signed = oracle.explain(target, method, table)[0]
        FOLDER.mkdir(parents=True, exist_ok=True)
        file = save_map(FOLDER, f"{network}.{table}.class{target}.{method}", signed[0].numpy())
        total, seconds = signed.sum().item(), time.perf_counter() - start
        print(f"{file}: sum {total:.6g} of {oracle.score(target):.6g}, {seconds:.1f} s", flush=True)


def write_maps(names, scratch):
    for name in names:
        image = storage.load(FIXTURES / "inputs" / f"chelsea-{NETWORKS[name][4]}.npy")
        for old in FOLDER.glob(f"{name}.*.np?"):
            old.unlink()
        oracle = Oracle(complete_model(name, scratch), image, IMAGENET_BOX)
        for table in MAPS[name]:
            write_maps_of(oracle, name, table, oracle.best()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", required=True, help="a folder for the generated weights")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MAPS))
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    write_maps(arguments.names or list(MAPS), arguments.scratch)


if __name__ == "__main__":
    main()
