"""The loop of a pointing game in PyTorch with Captum, with the line protocol of measuring.py.

Usage: evaluate_worker.py NETWORK FOLDER MANIFEST.csv [--threads N] [--images N]

NETWORK is squeezenet1.1, with weights from FOLDER/model.onnx, or a network of networks.py. Each `run` decodes the next N images of the
manifest, starting again after the last one, explains each by LRP, CLRP1 and CLRP2, scores the maps in the image's box, and prints
`<milliseconds> <hits> <images>`. `save` writes the scores of the images so far: for each method, whether the maximum is in the box, and the share
of energy in the box.
"""
import argparse
import csv
import json
import math
import sys
import time
import warnings
from pathlib import Path

import networks
import numpy as np
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule
from PIL import Image

FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
POOLED_FIRES = (3, 5)


class Fire(torch.nn.Module):
    """A module whose branches have copies of their input, because Captum counts relevance several times if layers share a tensor."""

    def __init__(self, channels, squeeze, expand):
        super().__init__()
        self.squeeze = torch.nn.Sequential(torch.nn.Conv2d(channels, squeeze, 1), torch.nn.ReLU())
        self.expand1x1 = torch.nn.Sequential(torch.nn.Conv2d(squeeze, expand, 1), torch.nn.ReLU())
        self.expand3x3 = torch.nn.Sequential(torch.nn.Conv2d(squeeze, expand, 3, padding=1), torch.nn.ReLU())

    def forward(self, operand):
        squeezed = self.squeeze(operand)
        return torch.cat([self.expand1x1(squeezed.clone()), self.expand3x3(squeezed.clone())], 1)


def squeezenet(folder, _):
    """The network before the last layer with weights, the rest, and the number of positions that the rest averages."""
    import onnx
    weights = {tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
               for tensor in onnx.load(folder / "model.onnx").graph.initializer}
    layers, names, channels = [torch.nn.Conv2d(3, 64, 3, 2), torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2, ceil_mode=True)], ["conv1"], 64
    for number, (squeeze, expand) in FIRES.items():
        layers.append(Fire(channels, squeeze, expand))
        names += [f"fire{number}_{layer}" for layer in ("squeeze1x1", "expand1x1", "expand3x3")]
        channels = 2 * expand
        if number in POOLED_FIRES:
            layers.append(torch.nn.MaxPool2d(3, 2, ceil_mode=True))
    head = torch.nn.Sequential(torch.nn.Conv2d(channels, 1000, 1), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1))
    body = torch.nn.Sequential(*layers)
    convolutions = [module for part in (body, head) for module in part.modules() if isinstance(module, torch.nn.Conv2d)]
    names.append("conv10")
    for name, convolution in zip(names, convolutions, strict=True):
        name = name.replace("squeeze1x1", "squeeze")
        convolution.load_state_dict({"weight": weights[f"{name}.weight"], "bias": weights[f"{name}.bias"]})
    return body, head, convolutions[-1].weight[:, :, 0, 0]


def classifier(_, name):
    """The same for a network of torchvision that ends with a fully connected layer."""
    network = networks.network(name)
    *layers, last = network.classifier
    body = Chain(torch.nn.Sequential(network.features, network.avgpool), torch.nn.Sequential(*layers))
    return body, last, last.weight


class Chain(torch.nn.Module):
    """Two parts, each with a vector as output. Captum has no rule for Flatten modules."""

    def __init__(self, first, second, flattens=True):
        super().__init__()
        self.first, self.second, self.flattens = first, second, flattens

    def forward(self, operand):
        between = self.first(operand)
        self.positions = math.prod(between.shape[2:])
        return self.second(between.flatten(1) if self.flattens else between).flatten(1)


class Explainer:
    """LRP with Alpha1_Beta0_Rule on every layer with weights, and its contrasts. Each map is a run of Captum."""

    def __init__(self, body, head, weight):
        self.network = Chain(body, head, flattens=False)
        self.body, self.weight = body, weight
        self.network.eval().requires_grad_(False)

    def relevance(self, explained, pixels, target):
        # Captum removes rules after each call.
        for layer in explained.modules():
            if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
                layer.rule = Alpha1_Beta0_Rule(set_bias_to_zero=True)
        return LRP(explained).attribute(pixels, target=target).detach()

    def maps(self, pixels, target):
        lrp = self.relevance(self.network, pixels, target)
        yield lrp
        others = Others(self.network, target)
        yield (lrp - self.relevance(others, pixels, 0)).clamp(min=0)
        negated = Negated(self.body, self.weight[target], self.network.positions, others.score)
        yield (lrp - self.relevance(negated, pixels, 0)).clamp(min=0)


class Others(torch.nn.Module):
    """CLRP1's dual: an output with the value of the target's logit, which distributes its relevance over the other classes."""

    def __init__(self, network, target):
        super().__init__()
        self.network, self.target, self.score = network, target, None

    def forward(self, operand):
        logits = self.network(operand)
        target = logits[:, self.target:self.target + 1]
        mean = (logits.sum(1, keepdim=True) - target) / (logits.shape[1] - 1)
        if self.score is None:                              # Captum's second pass uses other weights
            self.score = target.detach()
        return self.score + (mean - mean.detach())


class Negated(torch.nn.Module):
    """CLRP2's dual: an output with the value of the target's logit, computed with the negated weights of the last layer. A following average
    over positions is part of that layer."""

    def __init__(self, body, weight, positions, score):
        super().__init__()
        self.body, self.score = body, score
        self.head = torch.nn.Linear(len(weight) * positions, 1, bias=False, device="meta")
        self.head.weight = torch.nn.Parameter((-weight / positions).repeat_interleave(positions)[None], requires_grad=False)

    def forward(self, operand):
        value = self.head(self.body(operand).flatten(1))
        return self.score + (value - value.detach())


class Preprocessing:
    """The preprocessing of preprocessor_config.json, as far as these networks need it, also for boxes."""

    def __init__(self, path):
        self.settings = json.loads(path.read_text())
        channels = [torch.tensor(self.settings.get(key, [value] * 3)).view(3, 1, 1) for key, value in (("image_mean", 0.0), ("image_std", 1.0))]
        self.mean, self.deviation = channels if self.settings["do_normalize"] else (0, 1)

    def tensor_and_region(self, path, box):
        image = Image.open(path).convert("RGB")
        width, height = image.size
        edge = self.settings["size"]["shortest_edge"]
        crop = self.settings["crop_size"]["height"]
        size = (edge, edge * height // width) if width < height else (edge * width // height, edge)
        left, top = ((side - crop) // 2 for side in size)
        image = image.resize(size, Image.Resampling.BILINEAR).crop((left, top, left + crop, top + crop))
        pixels = torch.from_numpy(np.asarray(image, dtype=np.float32)).permute(2, 0, 1)
        if self.settings["do_rescale"]:
            pixels = pixels * self.settings["rescale_factor"]
        pixels = (pixels - self.mean) / self.deviation
        if self.settings.get("do_flip_channel_order"):
            pixels = pixels.flip(0)
        columns = [bound * size[0] / width - left for bound in box[0::2]]
        rows = [bound * size[1] / height - top for bound in box[1::2]]
        return pixels[None].contiguous(), self.centers(rows, crop), self.centers(columns, crop)

    @staticmethod
    def centers(bounds, count):
        """The pixels whose centers are between two bounds."""
        low, high = (min(max(math.ceil(bound - 0.5), 0), count) for bound in bounds)
        return slice(low, high)


def scores(relevance, rows, columns):
    saliency = relevance[0].sum(0).clamp(min=0)
    energy = saliency.sum(dtype=torch.float64).item()
    if energy == 0:
        return 0, 0
    y, x = divmod(saliency.argmax().item(), saliency.shape[1])
    hits = rows.start <= y < rows.stop and columns.start <= x < columns.stop
    return int(hits), saliency[rows, columns].sum(dtype=torch.float64).item() / energy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("folder", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", type=int, default=1)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="Input Tensor 0 did not already require gradients")
    torch.set_num_threads(arguments.threads)
    with open(arguments.manifest, newline="") as file:
        rows = list(csv.DictReader(file))
    explainer = Explainer(*(squeezenet if arguments.network == "squeezenet1.1" else classifier)(arguments.folder, arguments.network))
    preprocessing = Preprocessing(arguments.folder / "preprocessor_config.json")
    found = {}

    def explain(number):
        row = rows[number % len(rows)]
        box = [float(row[side]) for side in ("left", "top", "right", "bottom")]
        pixels, inside_rows, inside_columns = preprocessing.tensor_and_region(row["image"], box)
        found[number % len(rows)] = [scores(each, inside_rows, inside_columns) for each in explainer.maps(pixels, int(row["class"]))]
        return sum(hits for hits, _ in found[number % len(rows)])

    explain(0)
    done = 0
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, path = line.strip().partition(" ")
        if word == "run":
            start = time.perf_counter()
            hits = sum(explain(done + number) for number in range(arguments.images))
            print(f"{1000 * (time.perf_counter() - start):.3f} {hits} {arguments.images}", flush=True)
            done += arguments.images
        elif word == "save":
            np.save(path, np.array([found[number] for number in sorted(found)], dtype=np.float32))
            print("saved", flush=True)
        elif word == "quit":
            break
        else:
            sys.exit(f"expected run, save PATH or quit, found {line.strip()!r}")
