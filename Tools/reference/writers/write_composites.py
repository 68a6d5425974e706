"""Writes the relevance maps of Zennit's composites on the seeded networks that keep their batch normalization.

    python -m writers.write_composites --scratch FOLDER [NAME...]

`folded` is Zennit with the canonizers that merge batch normalization into the convolutions, and `kept` is Zennit without them. In both, the signs of
negative scales are first moved into the convolutions (see signs.py). Maps are computed in double precision; runs in single precision, one of them with
noise, measure how well conditioned each map is.
"""

import argparse
import collections
import contextlib
import importlib.metadata
import json
import math
import time
import warnings

import numpy as np
import torch
import torchvision
import zennit
import zennit.composites
from zennit.canonizers import CompositeCanonizer, SequentialMergeBatchNorm
from zennit.torchvision import ResNetBasicBlockCanonizer

import storage
from onnx_files import FIXTURES, complete_model, load_weights
from images import IMAGENET_BOX
from signs import turn_signs
from storage import save_map
from writers.export_networks import NETWORKS, for_side

FOLDER = FIXTURES / "composites"
LOGITS_TOLERANCE = 1e-4
# The largest distance between the maps in single and double precision. With a larger one, the map is not suitable for comparison.
CONDITION = 1e-3
# The noise in every convolution's output in a third run, relative to its largest value: the error of fast convolutions.
NOISE = 1e-6

STABILIZER = {"stabilizer": 1e-6, "zero_params": None}
EPSILON = {"epsilon": 1e-6} | STABILIZER
# The arguments of each composite. All except the box are Zennit's defaults.
COMPOSITES = {
    "EpsilonPlus": EPSILON,
    "EpsilonPlusFlat": EPSILON,
    "EpsilonAlpha2Beta1": EPSILON,
    "EpsilonAlpha2Beta1Flat": EPSILON,
    "EpsilonGammaBox": EPSILON | {"gamma": 0.25, "low": IMAGENET_BOX[0], "high": IMAGENET_BOX[1]},
    "ExcitationBackprop": STABILIZER,
}
# Other arguments for well-conditioned maps: with gamma 0.25, the noise changes the map by 2e-3.
CHANGED = {("vgg16bn-kept", "EpsilonGammaBox"): {"gamma": 1.0}}
# The role of the bias b in each rule if no parameters are set to zero, as in all of these composites.
BIAS = {
    "AlphaBeta": "max(b, 0) is part of the positive denominator, min(b, 0) of the negative one",
    "Epsilon": "b is part of the denominator",
    "Flat": "none",
    "Gamma": "b + gamma max(b, 0) is part of the denominator of a positive output, b + gamma min(b, 0) of that of a negative one",
    "ZBox": "cancels: b - max(b, 0) - min(b, 0) = 0",
    "ZPlus": "max(b, 0) is part of the denominator",
}


class Fold(SequentialMergeBatchNorm):
    """Zennit's folding, with an exact identity in place of the batch normalization.

    Zennit keeps its epsilon, so that each layer divides by sqrt(1 + epsilon): 1.0005 in torchvision's GoogLeNet.
    """

    def register(self, linears, batch_norm):
        super().register(linears, batch_norm)
        self.epsilon = batch_norm.eps
        batch_norm.eps = 0.0

    def remove(self):
        super().remove()
        self.batch_norm.eps = self.epsilon


def fold_and_sum():
    """The same as Zennit's ResNetCanonizer: folding, and residual sums as modules, because sums without a module have no rule."""
    return CompositeCanonizer((Fold(), ResNetBasicBlockCanonizer()))


# network: (canonizer that folds, canonizer that keeps, composites when folded, composites when kept)
PLAN = {
    "vgg16bn-kept": (Fold, None, ["EpsilonPlus", "EpsilonGammaBox", "EpsilonAlpha2Beta1Flat"], ["EpsilonPlus"]),
    "resnet18-kept": (fold_and_sum, ResNetBasicBlockCanonizer, list(COMPOSITES), list(COMPOSITES)),
    "googlenet-kept": (Fold, None, list(COMPOSITES), list(COMPOSITES)),
}


def torch_network(name, scratch):
    """torchvision's module with the weights of the exported file and moved signs, in single precision."""
    family = NETWORKS[name][0]
    options = {"aux_logits": False, "transform_input": False, "init_weights": False} if family == "googlenet" else {}
    network = for_side(getattr(torchvision.models, family)(weights=None, **options), NETWORKS[name][4])
    weights = {key: torch.from_numpy(array.copy()) for key, array in load_weights(complete_model(name, scratch))[1].items()}
    missing, unexpected = network.load_state_dict(weights, strict=False)
    if unexpected or any(not key.endswith("num_batches_tracked") for key in missing):
        raise SystemExit(f"{name}: the file's weights are not the module's: {missing}, {unexpected}")
    return turn_signs(network)


def composite(kind, changed, canonizer, dtype):
    arguments = COMPOSITES[kind] | changed
    for side in ("low", "high"):
        if side in arguments:
            arguments[side] = torch.tensor(arguments[side], dtype=dtype).reshape(1, 3, 1, 1)
    return getattr(zennit.composites, kind)(**arguments, canonizers=[canonizer()] if canonizer else None)


def relevance(network, rules, image, target, score):
    """The target's relevance at the image, seeded with the target's logit, which canonizers must not change."""
    image = image.clone().requires_grad_(True)
    with rules.context(network) as modified:
        logits = modified(image)
        if abs(logits[0, target].item() - score) > 1e-4 * abs(score):
            raise SystemExit(f"the logit is {logits[0, target].item()} under the composite, {score} without")
        seed = torch.zeros_like(logits)
        seed[0, target] = score
        return torch.autograd.grad(logits, image, seed)[0].detach()


@contextlib.contextmanager
def noise(network):
    """Adds errors like those of fast convolutions, which can change the decision between almost equal values in a pool."""

    def disturb(module, inputs, output):
        return output + NOISE * output.detach().abs().max() * torch.randn(output.shape, generator=generator)

    generator = torch.Generator().manual_seed(1)
    handles = [m.register_forward_hook(disturb) for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def assignments(network, kind, changed, canonizer):
    """Zennit's assignment of rules: for each type of layer, the number of layers by rule, and the layer that is treated as the first."""
    rules = composite(kind, changed, canonizer, torch.float64)
    with rules.context(network):
        context, found, first = {}, collections.defaultdict(collections.Counter), None
        for name, module in network.named_modules():
            if any(True for _ in module.children()):
                continue
            hook = rules.module_map(context, name, module)
            rule = type(hook).__name__ if hook else "gradient"
            found[type(module).__name__][rule] += 1
            if context.get("first_layer_visited") and first is None:
                first = name
    return {kind: dict(counts) for kind, counts in sorted(found.items())}, first


def distance(values, reference):
    """Relative L2 distance."""
    return ((values.double() - reference).norm() / reference.norm()).item()


def bound(value, step=1):
    """The value rounded up to one digit that is a multiple of `step`; further digits depend on the machine."""
    unit = 10.0 ** math.floor(math.log10(value)) * step
    return float(f"{math.ceil(value / unit) * unit:.0e}")


def digits(value):
    return float(f"{value:.9g}")


def write_maps_of(name, scratch):
    """Writes the maps of a network, and returns their entries for the index."""
    single = torch_network(name, scratch)
    image = torch.from_numpy(storage.load(FIXTURES / "inputs" / f"chelsea-{NETWORKS[name][4]}.npy"))
    expected = torch.from_numpy(np.load(FIXTURES / "networks" / name / "logits.npy"))
    with torch.no_grad():
        logits = single(image)
    error = ((logits - expected).abs().max() / expected.abs().max()).item()
    print(f"{name}: logits differ from ONNX Runtime's by {error:.2g} of the largest", flush=True)
    if error > LOGITS_TOLERANCE:
        raise SystemExit(f"{name}: logits differ from ONNX Runtime's")
    target = int(expected[0].argmax())
    double = torch_network(name, scratch).double()
    with torch.no_grad():
        score = double(image.double())[0, target].item()

    folding, keeping, folded, kept = PLAN[name]
    entries = []
    for form, canonizer, kinds in (("folded", folding, folded), ("kept", keeping, kept)):
        for kind in kinds:
            start = time.perf_counter()
            changed = CHANGED.get((name, kind), {})
            rules64, rules32 = (composite(kind, changed, canonizer, dtype) for dtype in (torch.float64, torch.float32))
            map64 = relevance(double, rules64, image.double(), target, score)
            map32 = relevance(single, rules32, image, target, score)
            with noise(single):
                noisy = relevance(single, rules32, image, target, score)
            rules, first = assignments(double, kind, changed, canonizer)
            file = save_map(FOLDER, f"{name.removesuffix('-kept')}.{form}.{kind}", map64[0].numpy())
            entry = {"file": file, "network": name, "batch_normalization": form, "composite": kind, "changed": changed}
            entry |= {"class": target, "score": digits(score), "sum": digits(map64.sum().item())}
            entry |= {"positive_sum": digits(map64.clamp(min=0).sum().item()), "float32": bound(distance(map32, map64), 10)}
            entry |= {"noise": bound(distance(noisy, map64)), "first": first, "rules": rules}
            entries.append(entry)
            note = "" if max(entry["float32"], entry["noise"]) <= CONDITION else "  ILL-CONDITIONED"
            errors = f"float32 within {entry['float32']:.0e}, noise {entry['noise']:.0e}{note}"
            seconds = time.perf_counter() - start
            print(f"{file}: sum {entry['sum']:.6g} of {score:.6g}, {errors}, {seconds:.1f} s", flush=True)
    return entries


def write_index(entries):
    """Replaces the index's entries of the computed networks, and keeps the others."""
    path = FOLDER / "index.json"
    done = {entry["network"] for entry in entries}
    earlier = json.loads(path.read_text())["maps"] if path.exists() else []
    order = list(PLAN).index
    entries = sorted(entries + [e for e in earlier if e["network"] not in done], key=lambda e: order(e["network"]))
    rows = ",\n".join("    " + json.dumps(entry) for entry in entries)
    composites = ",\n".join(f"    {json.dumps(kind)}: {json.dumps(arguments)}" for kind, arguments in COMPOSITES.items())
    bias = ",\n".join(f"    {json.dumps(rule)}: {json.dumps(text)}" for rule, text in BIAS.items())
    sections = ['"zennit": ' + json.dumps(importlib.metadata.version("zennit")), f'"condition": {CONDITION}']
    sections += [f'"composites": {{\n{composites}\n  }}', f'"bias": {{\n{bias}\n  }}', f'"maps": [\n{rows}\n  ]']
    path.write_text("{\n  " + ",\n  ".join(sections) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", required=True, help="a folder for the generated weights")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PLAN))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_index([entry for name in arguments.names or PLAN for entry in write_maps_of(name, arguments.scratch)])


if __name__ == "__main__":
    main()
