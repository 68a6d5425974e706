"""Writes the input images, and ONNX Runtime's logits of every network for its image.

    python -m writers.write_logits --scratch FOLDER [NAME...]
"""

import argparse

import numpy as np

import storage
from onnx_files import FIXTURES, complete_model, to_float32
from images import chelsea
from runtime import run
from writers.export_networks import NETWORKS


def write_logits(names, scratch):
    for name in names:
        side = NETWORKS[name][4]
        image = chelsea(side)
        storage.save_input(f"inputs/chelsea-{side}.npy", image)
        logits = to_float32(run(complete_model(name, scratch), image))
        np.save(FIXTURES / "networks" / name / "logits.npy", logits)
        best = int(logits[0].argmax())
        print(f"{name}: class {best}, logit {logits[0, best]:.6g}, least {logits.min():.6g}, spread {logits.std():.3g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", required=True, help="a folder for the generated weights (up to 2 GB)")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    write_logits(arguments.names or list(NETWORKS), arguments.scratch)


if __name__ == "__main__":
    main()
