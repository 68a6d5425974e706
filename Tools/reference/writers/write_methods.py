"""Writes reference maps of the gradient methods, of contrastive methods other than the paper's, and of units inside networks.

    python -m writers.write_methods --scratch FOLDER [--models FOLDER] [--only METHOD] [NAME...]

Everything is computed in double precision. Single precision and added noise measure how well conditioned each map is, and determine its tolerance.
SqueezeNet needs its weights; without them, its maps are not changed.
"""

import argparse
import json
import math
import pathlib
import time
from typing import NamedTuple

import numpy as np
import torch

import storage
from onnx_files import FIXTURES, complete_model
from oracles import oracle_contrasts as contrasts
from oracles import oracle_gradients as gradients
from oracles.oracle import Oracle
from images import IMAGENET_BOX, chelsea
from runtime import run
from storage import save_map
from writers.write_composites import CONDITION, LOGITS_TOLERANCE, NOISE, bound, digits, distance
from writers.write_squeezenet import CATS, INPUT as SQUEEZENET_INPUT, NAME as SQUEEZENET, default_models, squeezenet

FOLDER = FIXTURES / "methods"
DRAWS = (101, 102, 103)  # seeds of the noise, different from those for choosing an input
SEEDS = (90001, 90002, 90003, 90004)
STEPS = 20
# A crop, chosen from 267, for which noise seldom changes a decision of a rectifier or a pool of ResNet-18.
CORNER = (38, 12)
RESNET_INPUT = "inputs/chelsea-96-38-12.npy"


class Plan(NamedTuple):
    """The explanations of a network."""

    input: str
    layer: str  # of Grad-CAM and LayerCAM: the tensor
    sigma: float  # of SmoothGrad: the noise's standard deviation
    methods: tuple
    units: tuple = ()  # tensors; explains the most active unit for each sign of its scale
    cat: tuple = ()  # methods for the class of the cat, if it is not the top class


GRADIENTS = ("gradient", "gradient-x-input", "guided-backprop", "deconvnet", "grad-cam", "guided-grad-cam", "layer-cam")
AVERAGES = ("integrated-gradients", "integrated-gradients-gauss-legendre", "smoothgrad")
CONTRASTS = ("excitation-backprop", "contrastive-excitation-backprop", "clrp1-released", "sglrp")
ALL = GRADIENTS + AVERAGES + CONTRASTS
PLANS = {
    SQUEEZENET: Plan(
        SQUEEZENET_INPUT, "fire9_concat", 16.0, ALL + ("grad-cam-upsampled",), ("relu_fire8_expand3x3",),
        ("grad-cam", "contrastive-excitation-backprop", "clrp1-released", "sglrp"),
    ),
    "googlenet-kept": Plan(
        "inputs/chelsea-96.npy", "/inception5b/Concat_output_0", 0.25, ALL,
        ("/inception4c/branch2/branch2.1/Relu_output_0",),
    ),
    "resnet18-kept": Plan(
        RESNET_INPUT, "/layer4/layer4.1/relu_1/Relu_output_0", 0.25, ALL,
        ("/layer3/layer3.1/relu/Relu_output_0",),
    ),
    "alexnet-96": Plan(
        "inputs/chelsea-96.npy", "/features/features.11/Relu_output_0", 0.25,
        ("gradient", "guided-backprop", "grad-cam", "layer-cam", "integrated-gradients", "excitation-backprop", "clrp1-released"),
        ("/classifier/classifier.2/Relu_output_0",),
    ),
    "vgg16-96": Plan(
        "inputs/chelsea-96.npy", "/features/features.29/Relu_output_0", 0.25,
        ("guided-backprop", "grad-cam", "excitation-backprop", "clrp1-released"),
    ),
}  # fmt: skip


def explain(oracle, target, method, plan):
    """The map of a class."""
    if method in gradients.Rectifier.BACK:
        return gradients.backward(oracle, target, method)
    if method == "grad-cam-upsampled":
        return gradients.upsampled(oracle, gradients.grad_cam(oracle, target, plan.layer))
    if method in ("grad-cam", "guided-grad-cam", "layer-cam"):
        return getattr(gradients, method.replace("-", "_"))(oracle, target, plan.layer)
    if method.startswith("integrated-gradients"):
        return gradients.integrated_gradients(oracle, target, quadrature(method), STEPS)
    if method == "smoothgrad":
        return gradients.smoothgrad(oracle, target, *noise_range(plan), SEEDS)
    if method == "gradient-x-input":
        return gradients.gradient_x_input(oracle, target)
    return getattr(contrasts, method.replace("-", "_"))(oracle, target)


def quadrature(method):
    return "gauss-legendre" if method.endswith("gauss-legendre") else "midpoint"


def noise_range(plan):
    """A uniform distribution with standard deviation sigma."""
    return -plan.sigma * math.sqrt(3), plan.sigma * math.sqrt(3)


def parameters(oracle, target, method, plan, values):
    """The parameters for computing the map, and values that result from it."""
    if method.startswith("integrated-gradients"):
        baseline = gradients.baseline_score(oracle, target)
        delta = values.sum().item() - (oracle.score(target) - baseline)
        steps = {"baseline": 0, "steps": STEPS, "quadrature": quadrature(method)}
        return steps | {"baseline_score": digits(baseline), "completeness_delta": float(f"{delta:.3g}")}
    if method == "smoothgrad":
        low, high = noise_range(plan)
        return {"seeds": SEEDS, "sigma": plan.sigma, "low": low, "high": high}
    if method == "excitation-backprop":
        return {"seed": 1}
    if method == "contrastive-excitation-backprop":
        node, pooled = oracle._head()
        head = "composite" if pooled and node.op_type == "Conv" else "layer"
        return {"seed": 1, "contrast_tensor": node.input[0], "head": head}
    if method == "clrp1-released":
        return {"table": "default", "seed": digits(oracle.score(target))}
    if method == "sglrp":
        return {"table": "default", "seed": digits(contrasts.sglrp_seeds(oracle, target)[target].item())}
    return {}


class Writer:
    """The maps of a network: in double precision as files, in single precision for the index."""

    def __init__(self, name, model, plan, box):
        image = storage.load(FIXTURES / plan.input)
        self.name, self.plan, self.entries = name, plan, []
        self.double = Oracle(model, image, box)
        self.single = Oracle(model, image, box, torch.float32)
        self.noisy = [Oracle(model, image, box, torch.float32, NOISE, draw) for draw in DRAWS]
        expected = torch.from_numpy(run(model, image)).flatten()
        error = (self.double.values[self.double.logits].flatten() - expected).abs().max() / expected.abs().max()
        if error > LOGITS_TOLERANCE:
            raise SystemExit(f"{name}: logits differ from ONNX Runtime's by {error:.2g} of the largest")

    def write(self, label, targets, method, score, function, facts):
        """Writes a map, and returns an entry for each of its targets."""
        start = time.perf_counter()
        values = function(self.double)
        if not values.abs().max() > 0:
            raise SystemExit(f"{self.name}, {method}: the map is zero")
        single = bound(distance(function(self.single), values))
        noisy = bound(max(distance(function(oracle), values) for oracle in self.noisy))
        tolerance = max(CONDITION, bound(2 * max(single, noisy)))
        file = save_map(FOLDER, f"{self.name}.{label}.{method}", values[0].numpy())
        for target in targets:
            entry = {"file": file, "network": self.name, "input": self.plan.input, "method": method, "target": target}
            entry |= {"parameters": facts(values), "score": digits(score), "sum": digits(values.sum().item())}
            if "-cam" in method:
                node = self.double.producer[self.plan.layer]
                entry["layer"] = {"node": node.name, "tensor": self.plan.layer}
            self.entries.append(entry | {"float32": single, "noise": noisy, "tolerance": tolerance})
        seconds = time.perf_counter() - start
        errors = f"float32 within {single:.0e}, noise {noisy:.0e}, {seconds:.1f} s"
        print(f"{file}: sum {values.sum():.6g}, score {score:.6g}, {errors}", flush=True)

    def write_class(self, target, methods):
        for method in methods:
            self.write(
                f"class{target}", [{"class": target}], method, self.double.score(target),
                lambda oracle: explain(oracle, target, method, self.plan),
                lambda values: parameters(self.double, target, method, self.plan, values),
            )  # fmt: skip

    def write_units(self, tensor):
        """LRP and CLRP2 of the most active unit after a rectifier, which are also those of the unit before the rectifier."""
        after = self.double.producer[tensor]
        before = self.double.producer[after.input[0]]
        values = self.double.values[tensor]
        weighted, scales = contrasts.weighted_layer_of(self.double, (tensor, (0, 0)))
        signs = torch.ones(values.shape[1])
        if scales:
            scale = self.double.values[before.input[1]]
            signs = scale.sign()
        for sign in sorted(set(signs.tolist()), reverse=True):
            chosen = values * (signs == sign).to(values.dtype).reshape([-1] + [1] * (values.ndim - 2))
            index = tuple(int(i) for i in np.unravel_index(int(chosen.argmax()), values.shape))
            units = [(node.output[0], index) for node in (before, after)]
            facts = {"table": "default", "weighted_node": weighted.name}
            if scales:
                facts["normalization_scale"] = digits(scale[index[1]].item())
            targets = [
                {"node": node.name, "tensor": node.output[0]} | dict(zip(("channel", "y", "x"), index[1:]))
                for node in (before, after)
            ]
            label = "-".join(["unit", after.name.strip("/").replace("/", "_"), *map(str, index[1:])])
            score = contrasts.activation(self.double, units[1])
            for method, function in (("lrp", contrasts.unit_lrp), ("clrp2", contrasts.unit_clrp2)):
                if not torch.equal(function(self.double, units[0]), function(self.double, units[1])):
                    raise SystemExit(f"{label}: {method} differs before and after the rectifier")
                self.write(label, targets, method, score, lambda o: function(o, units[1]), lambda values: facts)


def cat_class(models, oracle):
    labels = json.loads((pathlib.Path(models) / SQUEEZENET / "config.json").read_text())["id2label"]
    cats = [int(k) for k, label in labels.items() if any(name.strip() in CATS for name in label.split(","))]
    return max(cats, key=oracle.score)


def write_methods(name, scratch, models, only):
    """The entries of a network, or of a method for its top class, or None if its weights are missing."""
    found = squeezenet(models) if name == SQUEEZENET else (complete_model(name, scratch), IMAGENET_BOX)
    if found is None:
        print(f"no {SQUEEZENET} in {models}: its maps stay as they are", flush=True)
        return None
    plan = PLANS[name]
    writer = Writer(name, found[0], plan, found[1])
    if only:
        writer.write_class(writer.double.best()[0], [only] if only in plan.methods else [])
        return writer.entries
    for old in FOLDER.glob(f"{name}.*.np?"):
        old.unlink()
    writer.write_class(writer.double.best()[0], plan.methods)
    if plan.cat:
        writer.write_class(cat_class(models, writer.double), plan.cat)
    for tensor in plan.units:
        writer.write_units(tensor)
    return writer.entries


def write_index(entries, done, only):
    """Replaces the index's entries of the computed networks, or of one method, and keeps the others."""
    path = FOLDER / "index.json"
    earlier = json.loads(path.read_text())["maps"] if path.exists() else []
    order = list(PLANS).index
    kept = [e for e in earlier if e["network"] not in done or only and e["method"] != only]
    entries = sorted(kept + entries, key=lambda e: order(e["network"]))
    rows = ",\n".join("    " + json.dumps(entry) for entry in entries)
    path.write_text(f'{{\n  "maps": [\n{rows}\n  ]\n}}\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", required=True, help="a folder for the generated weights")
    parser.add_argument("--models", default=default_models(), help="the folder of the models (default: that of Tools/models/fetch)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", metavar="METHOD", help="write only the maps of this method, and keep the others")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PLANS))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    FOLDER.mkdir(parents=True, exist_ok=True)
    storage.save_input(RESNET_INPUT, chelsea(96, CORNER))
    for name in arguments.names or PLANS:
        entries = write_methods(name, arguments.scratch, arguments.models, arguments.only)
        if entries is not None:
            write_index(entries, {name}, arguments.only)


if __name__ == "__main__":
    main()
