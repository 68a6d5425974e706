"""Writes logits of the pretrained SqueezeNet 1.1 for the demo image, and relevance maps for a part of it.

    python -m writers.write_squeezenet [--models FOLDER]

The weights are not part of the repository: download them first with Tools/models/fetch. The input of the logits is the whole image, 454 × 227
pixels: the network accepts any size, and the center crop of its preprocessing would not contain the cat. Maps are of the middle of a smaller copy.
"""

import argparse
import json
import os
import pathlib

import numpy as np
import torch
from PIL import Image

import storage
from onnx_files import FIXTURES, to_float32
from oracles.oracle import Oracle
from images import Preprocessor, center_crop
from runtime import run
from writers.write_maps import write_maps_of

NAME = "squeezenet1.1"
DEMO_IMAGE = FIXTURES / "cat-and-coffee.png"
# The middle of a smaller copy of the demo image: of seven sizes, the one in which noise changes the gradient least (see README.md, Methods).
SCALED, CROPPED = (168, 84), (80, 64)
INPUT = "inputs/squeezenet-cat-coffee-64x80.npy"
CATS = ("tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat")
CUPS = ("espresso", "cup", "coffee mug", "coffeepot", "teapot")


def default_models():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return pathlib.Path(os.environ.get("RELEVANCEKIT_MODELS") or cache / "relevancekit")


def squeezenet(models):
    """(model, box) after writing the input of its maps, or None without its weights."""
    folder = pathlib.Path(models) / NAME
    if not (folder / "model.onnx").exists():
        return None
    preprocess = Preprocessor(folder / "preprocessor_config.json")
    preprocess.config |= {"do_center_crop": False, "do_resize": False}
    image = Image.open(DEMO_IMAGE).convert("RGB").resize(SCALED, Image.Resampling.BILINEAR)
    storage.save_input(INPUT, preprocess(center_crop(image, *CROPPED)))
    return folder / "model.onnx", preprocess.box()


def best_named(logits, labels, words):
    """The best class whose label contains one of `words` as a name."""
    for index in logits[0].argsort()[::-1]:
        if any(name.strip() in words for name in labels[str(index)].split(",")):
            return int(index)
    raise SystemExit(f"none of {', '.join(words)} is a class")


def write_squeezenet(models):
    folder = pathlib.Path(models) / NAME
    preprocess = Preprocessor(folder / "preprocessor_config.json")
    preprocess.config["do_center_crop"] = False
    labels = json.loads((folder / "config.json").read_text())["id2label"]
    image = preprocess(Image.open(DEMO_IMAGE))
    logits = to_float32(run(folder / "model.onnx", image))
    target = FIXTURES / "networks" / NAME
    target.mkdir(parents=True, exist_ok=True)
    np.save(target / "logits.npy", logits)
    for index in logits[0].argsort()[::-1][:5]:
        print(f"{NAME}: {labels[str(index)]} ({index}) {logits[0, index]:.4f}")
    for old in (FIXTURES / "maps").glob(f"{NAME}.*.np?"):
        old.unlink()
    model, box = squeezenet(models)
    part = storage.load(FIXTURES / INPUT)
    oracle, logits = Oracle(model, part, box), run(model, part)
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
