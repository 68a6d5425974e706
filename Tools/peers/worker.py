"""Another system with the line protocol of measuring.py.

Usage: worker.py SYSTEM METHOD FOLDER [--threads N] [--classes K]       explains the K most probable classes

FOLDER is written by networks.py and has the name of the network. ONNX Runtime reads the model from it. The other systems need a module, which is
created again with the same weights. One-time setup is not part of the measured time; work that a user must repeat for each explanation is.
"""
import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np


def pytorch(folder, image, method, count, threads):
    import torch
    network, logits = module(folder, image, threads)
    pixels = torch.from_numpy(image)

    def forward():
        with torch.inference_mode():
            return network(pixels)

    def gradient(target):
        operand = pixels.clone().requires_grad_()
        return torch.autograd.grad(network(operand)[0, target], operand)[0]

    if method == "forward":
        return lambda: (forward(), logits.max())
    return each(gradient, logits, count)


def onnxruntime(folder, image, method, count, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    for axis, length in zip(("batch", "channels", "height", "width"), image.shape):
        options.add_free_dimension_override_by_name(axis, length)       # allows memory planning
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])

    def forward():
        logits = session.run(None, {"input": image})[0]
        return logits, logits.max()
    return forward


def captum(folder, image, method, count, threads):
    """Alpha1_Beta0_Rule on every convolution and fully connected layer, set before each call, because Captum removes rules after a call.
    Pooling and rectifiers keep Captum's defaults."""
    import torch
    from captum.attr import LRP
    from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule
    warnings.filterwarnings("ignore", message="Input Tensor 0 did not already require gradients")
    network, logits = module(folder, image, threads)
    pixels = torch.from_numpy(image)

    class Others(torch.nn.Module):
        """An output with the value of the target's logit, which distributes a relevance of 1 over the other classes."""

        def __init__(self, target):
            super().__init__()
            self.network, self.target = network, target

        def forward(self, operand):
            logits = self.network(operand)
            score = logits[:, self.target:self.target + 1]
            mean = (logits.sum(1, keepdim=True) - score) / (logits.shape[1] - 1)
            return score.detach() + (mean - mean.detach())

    def lrp(explained, target):
        for layer in network.modules():
            if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
                layer.rule = Alpha1_Beta0_Rule(set_bias_to_zero=True)
        return LRP(explained).attribute(pixels, target=target).detach()

    def clrp1(target):
        return (lrp(network, target) - lrp(Others(target), 0)).clamp(min=0)

    return each(clrp1 if method == "clrp1" else lambda target: lrp(network, target), logits, count)


def zennit(folder, image, method, count, threads):
    """ZPlus on every layer with weights except the first, which has ZBox; average pooling keeps its gradient, which gives even shares. Or the
    composite EpsilonPlusFlat. Hooks remain registered between calls."""
    import torch
    from zennit.attribution import Gradient
    from zennit.composites import EpsilonPlusFlat, SpecialFirstLayerMapComposite
    from zennit.rules import Pass, ZBox, ZPlus
    from zennit.types import Activation, Convolution, Linear
    network, logits = module(folder, image, threads)
    pixels = torch.from_numpy(image)
    if method == "composite":
        composite = EpsilonPlusFlat(canonizers=[canonizer(folder.name, network)])
    else:
        composite = SpecialFirstLayerMapComposite(
            layer_map=[(Activation, Pass()), (Linear, ZPlus(zero_params="bias"))],
            first_map=[(Convolution, ZBox(0.0, 1.0, zero_params="bias"))])
    attributor = Gradient(model=network, composite=composite)
    attributor.__enter__()

    def lrp(target):
        def seed(output):
            one = torch.zeros_like(output)
            one[0, target] = output[0, target].detach()
            return one
        return attributor(pixels.clone(), seed)[1]

    return each(lrp, logits, count)


def lxt(folder, image, method, count, threads):
    """Input times gradient of a patched vision transformer: CP-LRP in attention, constant deviations in normalizations. Patches stay."""
    import torch
    from lxt.efficient import monkey_patch
    from torchvision.models import vision_transformer
    monkey_patch(vision_transformer)
    network, logits = module(folder, image, threads)

    def lrp(target):
        operand = torch.from_numpy(image).clone().requires_grad_()
        return operand.detach() * torch.autograd.grad(network(operand)[0, target], operand)[0]

    return each(lrp, logits, count)


def canonizer(name, network):
    """The canonizers that merge the batch normalization of a network into the convolutions before it."""
    from zennit.canonizers import NamedMergeBatchNorm, SequentialMergeBatchNorm
    from zennit.torchvision import ResNetCanonizer
    if name.startswith("res"):
        return ResNetCanonizer()
    if name.startswith("densenet"):                         # other networks have another layer between two consecutive declarations
        pairs = [([key.replace("norm2", "conv1")], key) for key, _ in network.named_modules() if key.endswith("norm2")]
        return NamedMergeBatchNorm([(["features.conv0"], "features.norm0"), *pairs])
    return SequentialMergeBatchNorm()


def paper(folder, image, method, count, threads):
    import torch
    from paper import explain, prepare
    network, logits = module(folder, image, threads)
    prepare(network, box=(0.0, 1.0))
    pixels = torch.from_numpy(image)
    return each(lambda target: explain(network, pixels, target, contrasts=method == "clrp1"), logits, count)


def module(folder, image, threads):
    """The network and its logits."""
    import torch
    import networks
    torch.set_num_threads(threads)
    network = networks.network(folder.name)
    with torch.no_grad():
        return network, network(torch.from_numpy(image))[0]


def each(explain, logits, count):
    """Explains the `count` most probable classes, one run for each. Returns the first map and the logit of its class."""
    targets = logits.topk(count).indices.tolist()

    def run():
        return [explain(target) for target in targets][0], logits[targets[0]]
    return run


METHODS = {
    pytorch: ["forward", "gradient"], onnxruntime: ["forward"], captum: ["lrp", "clrp1"], zennit: ["lrp", "composite"], lxt: ["cp-lrp"],
    paper: ["lrp", "clrp1"],
}
SYSTEMS = {system.__name__: system for system in METHODS}

parser = argparse.ArgumentParser()
parser.add_argument("system", choices=SYSTEMS)
parser.add_argument("method")
parser.add_argument("folder", type=Path)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--classes", type=int, default=1)
arguments = parser.parse_args()
system = SYSTEMS[arguments.system]
if arguments.method not in METHODS[system]:
    parser.error(f"{arguments.system} has no method {arguments.method}; expected {' or '.join(METHODS[system])}")

image = np.load(arguments.folder / "input.npy", allow_pickle=False)
run = system(arguments.folder, image, arguments.method, arguments.classes, arguments.threads)
result, score = run()
print("ready", flush=True)
for line in sys.stdin:
    word, _, path = line.strip().partition(" ")
    if word == "run":
        start = time.perf_counter()
        result, score = run()
        elapsed = time.perf_counter() - start
        print(f"{1000 * elapsed:.3f} {float(np.asarray(result).sum(dtype=np.float64)):.9g} {float(score):.9g}", flush=True)
    elif word == "save":
        np.save(path, np.asarray(result))
        print("saved", flush=True)
    elif word == "quit":
        break
    else:
        sys.exit(f"expected run, save PATH or quit, found {line.strip()!r}")
