"""Compares the fixtures of methods with Captum, and those of contrastive relevance with Zennit, on torchvision's modules in float64.

    python -m checks.check_methods --scratch FOLDER [--models FOLDER] [NAME...]

Units, and SqueezeNet's contrastive excitation backpropagation, are only in the oracle.
"""

import argparse
import json
import pathlib
import warnings

import torch
import torchvision
from captum.attr import Deconvolution, GuidedBackprop, InputXGradient, IntegratedGradients, LayerAttribution, LayerGradCam, Saliency
from torch import nn
from zennit.core import Composite
from zennit.layer import Sum
from zennit.rules import Norm, Pass, ZBox, ZPlus
from zennit.torchvision import ResNetBasicBlockCanonizer

import storage
from onnx_files import FIXTURES, load_weights
from images import IMAGENET_BOX, Preprocessor
from seeded import seeded_tensor
from writers.write_composites import torch_network
from writers.write_squeezenet import NAME as SQUEEZENET, default_models

TOLERANCE = 1e-6
STABILIZER = 1e-9
# The module whose output Grad-CAM uses.
LAYERS = {
    SQUEEZENET: "features.12",
    "googlenet-kept": "inception5b",
    "resnet18-kept": "layer4",
    "alexnet-96": "features.11",
    "vgg16-96": "features.29",
}
QUADRATURES = {"midpoint": "riemann_middle", "gauss-legendre": "gausslegendre"}


def squeezenet(models):
    """torchvision's module. The weights in the file have the same order and other names."""
    network = torchvision.models.squeezenet1_1(weights=None).eval()
    arrays = load_weights(pathlib.Path(models) / SQUEEZENET / "model.onnx")[1].values()
    weights = {key: torch.from_numpy(array.copy()) for key, array in zip(network.state_dict(), arrays, strict=True)}
    network.load_state_dict(weights)
    return network


def with_own_rectifiers(network):
    """The same network with a separate module for every rectifier: Captum changes only modules, and none that is used twice or works in place."""
    traced = torch.fx.symbolic_trace(network)
    modules = dict(traced.named_modules())
    for number, node in enumerate(list(traced.graph.nodes)):
        is_module = node.op == "call_module" and isinstance(modules[node.target], nn.ReLU)
        if is_module or node.op == "call_function" and node.target in (nn.functional.relu, torch.relu):
            traced.add_module(f"rectifier{number}", nn.ReLU())
            with traced.graph.inserting_before(node):
                own = traced.graph.call_module(f"rectifier{number}", (node.args[0],))
            node.replace_all_uses_with(own)
            traced.graph.erase_node(node)
    traced.recompile()
    return traced


def propagated(network, image, seeds, box=None):
    """Zennit's relevance: z⁺, or z^B in the first convolution if a box is given; averages and sums in proportion, normalization bypassed."""
    rules = {(nn.Conv2d, nn.Linear): ZPlus(stabilizer=STABILIZER, zero_params="bias"), nn.BatchNorm2d: Pass()}
    rules[(nn.AvgPool2d, nn.AdaptiveAvgPool2d, Sum)] = Norm(stabilizer=STABILIZER)
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    if box:
        low, high = (torch.tensor(side, dtype=image.dtype).reshape(1, -1, 1, 1).expand_as(image) for side in box)
        box = ZBox(low, high, stabilizer=STABILIZER, zero_params="bias")

    def chosen(context, name, module):
        if module is first and box:
            return box
        return next((rule for types, rule in rules.items() if isinstance(module, types)), None)

    canonizers = [ResNetBasicBlockCanonizer()] if isinstance(network, torchvision.models.ResNet) else []
    image = image.detach().clone().requires_grad_(True)
    with Composite(module_map=chosen, canonizers=canonizers).context(network) as modified:
        return torch.autograd.grad(modified(image), image, seeds[None])[0]


def contrast(method, network, image, target, box):
    """Maps of relevance and of contrasts, which use two separate passes."""
    with torch.no_grad():
        logits = network(image)[0]
    one = nn.functional.one_hot(torch.tensor(target), len(logits)).to(logits.dtype)
    if method == "excitation-backprop":
        return propagated(network, image, one)
    if method == "sglrp":
        p = logits.softmax(0)
        relevance = propagated(network, image, one * (p - one * p).sum() * p[target], box)
        return relevance - propagated(network, image, (1 - one) * p * p[target], box)
    if method == "clrp1-released":
        maps = [propagated(network, image, seeds, box) for seeds in (one * logits, (1 - one) * logits.abs())]
        return maps[0] / maps[0].sum() - maps[1] / maps[1].sum()
    last = list(network.modules())[-1]
    if method != "contrastive-excitation-backprop" or not isinstance(last, nn.Linear):
        return None
    relevance = propagated(network, image, one)
    last.weight.data.neg_()
    dual = propagated(network, image, one)
    last.weight.data.neg_()
    return relevance - dual


def grad_cam(network, image, target, layer):
    return LayerGradCam(network, network.get_submodule(layer)).attribute(image, target, relu_attributions=True).detach()


def expected(entry, network, rectified, image, box):
    """The map of Captum or Zennit for the entry's method, or None."""
    method, facts, target = entry["method"], entry["parameters"], entry["target"].get("class")
    changed = {"guided-backprop": GuidedBackprop, "deconvnet": Deconvolution}
    if target is None:
        return None
    if method == "gradient":
        return Saliency(network).attribute(image, target, abs=False)
    if method == "gradient-x-input":
        return InputXGradient(network).attribute(image, target)
    if method in changed:
        return changed[method](rectified).attribute(image, target)
    if method in ("grad-cam", "grad-cam-upsampled", "guided-grad-cam"):
        small = grad_cam(network, image, target, LAYERS[entry["network"]])
        large = LayerAttribution.interpolate(small, image.shape[2:], "bilinear")
        guided = GuidedBackprop(rectified).attribute(image, target) if method == "guided-grad-cam" else None
        return {"grad-cam": small, "grad-cam-upsampled": large}.get(method, guided if guided is None else guided * large)
    if method.startswith("integrated-gradients"):
        options = {"n_steps": facts["steps"], "method": QUADRATURES[facts["quadrature"]], "internal_batch_size": 1}
        return IntegratedGradients(network).attribute(image, 0.0, target, **options)
    if method == "smoothgrad":
        noises = [torch.from_numpy(seeded_tensor(s, image.shape, facts["low"], facts["high"])) for s in facts["seeds"]]
        at = [image.detach() + noise for noise in noises]
        return sum(Saliency(network).attribute(x, target, abs=False) for x in at) / len(at)
    return contrast(method, network, image, target, box)


def check(name, scratch, models):
    entries = json.loads((FIXTURES / "methods" / "index.json").read_text())["maps"]
    if name == SQUEEZENET and not (pathlib.Path(models) / SQUEEZENET / "model.onnx").exists():
        print(f"{SQUEEZENET} is not in {models}; skipped", flush=True)
        return
    network = (squeezenet(models) if name == SQUEEZENET else torch_network(name, scratch)).double()
    box = Preprocessor(pathlib.Path(models) / SQUEEZENET / "preprocessor_config.json").box() if name == SQUEEZENET else IMAGENET_BOX
    rectified = with_own_rectifiers(network)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    for entry in (e for e in entries if e["network"] == name):
        image = torch.from_numpy(storage.load(FIXTURES / entry["input"])).double()
        values = expected(entry, network, rectified, image, box)
        if values is None:
            continue
        error = storage.difference(FIXTURES / "methods" / entry["file"], values[0].detach().numpy())
        print(f"{'ok  ' if error <= TOLERANCE else 'FAIL'} {entry['file']}: {error:.2g}", flush=True)
        if not error <= TOLERANCE:
            raise SystemExit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", required=True, help="a folder for the generated weights")
    parser.add_argument("--models", default=default_models(), help="the folder of the models (default: that of Tools/models/fetch)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(LAYERS))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore")
    for name in arguments.names or LAYERS:
        check(name, arguments.scratch, arguments.models)


if __name__ == "__main__":
    main()
