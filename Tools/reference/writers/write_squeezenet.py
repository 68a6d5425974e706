"""Writes logits and relevance maps of the pretrained SqueezeNet 1.1 for the demo image.

    python -m writers.write_squeezenet [--models FOLDER]

The weights are not part of the repository: download them first with Tools/models/fetch. The input is the whole image, 454 × 227 pixels: the network
accepts any size, and the center crop of its preprocessing would not contain the cat.
"""

import argparse
import json
import os
import pathlib

import numpy as np
import torch
from PIL import Image

from onnx_files import FIXTURES, to_float32
from oracles.oracle import Oracle
from images import Preprocessor
from runtime import run
from writers.write_maps import write_maps_of

NAME = "squeezenet1.1"
DEMO_IMAGE = FIXTURES / "cat-and-coffee.png"
INPUT = FIXTURES / "inputs" / "squeezenet-cat-coffee-227x454.npy"
CATS = ("tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat")
CUPS = ("espresso", "cup", "coffee mug", "coffeepot", "teapot")


def default_models():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return pathlib.Path(os.environ.get("RELEVANCEKIT_MODELS") or cache / "relevancekit")


def best_named(logits, labels, words):
    """The best of the top five classes whose label contains one of `words` as a name."""
    for index in logits[0].argsort()[::-1][:5]:
        if any(name.strip() in words for name in labels[str(index)].split(",")):
            return int(index)
    raise SystemExit(f"none of {', '.join(words)} is among the top five classes")


def write_squeezenet(models):
    folder = pathlib.Path(models) / NAME
    preprocess = Preprocessor(folder / "preprocessor_config.json")
    preprocess.config["do_center_crop"] = False
    labels = json.loads((folder / "config.json").read_text())["id2label"]
    image = preprocess(Image.open(DEMO_IMAGE))
    INPUT.parent.mkdir(parents=True, exist_ok=True)
    np.save(INPUT, image)
    logits = to_float32(run(folder / "model.onnx", image))
    target = FIXTURES / "networks" / NAME
    target.mkdir(parents=True, exist_ok=True)
    np.save(target / "logits.npy", logits)
    for index in logits[0].argsort()[::-1][:5]:
        print(f"{NAME}: {labels[str(index)]} ({index}) {logits[0, index]:.4f}")
    for old in (FIXTURES / "maps").glob(f"{NAME}.*.npy"):
        old.unlink()
    oracle = Oracle(folder / "model.onnx", image, preprocess.box())
    for words in (CATS, CUPS):
        index = best_named(logits, labels, words)
        for table in ("default", "paper"):
            write_maps_of(oracle, NAME, table, index)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=default_models(), help="the folder of the models (default: that of Tools/models/fetch)")
    torch.set_num_threads(2)
    write_squeezenet(parser.parse_args().models)


if __name__ == "__main__":
    main()
