"""torchvision's networks with seeded weights: AlexNet, VGG16, GoogLeNet, nine recent networks and a vision transformer, as PyTorch modules and as
ONNX files with the same weights.

Usage: networks.py NAME FOLDER      writes model.onnx, preprocessor_config.json and input.npy

Weights are normally distributed with He's variance, so that activations neither vanish nor explode. The weights of fully connected layers are
fifth powers of normal variables with the same variance: without heavy tails the maps of all classes would agree to five digits, and a contrast
of two classes would be lost in single precision. Biases have both signs.
The recent networks keep their batch normalization with the statistics of a few images, so that activations have realistic sizes in each layer;
the exporter folds it into a preceding convolution. Scales of residual branches, which torchvision initializes with 10⁻⁶, have values as after
training.
GoogLeNet has no batch normalization here: it is folded, as exporters do, so that each convolution has a bias. Every system uses this network.
With batch normalization as torchvision initializes it, Captum's relevance sums to less than 10⁻¹⁴ of the logit. Rectifiers are modules, because
Captum and Zennit do not handle functions, and none works in place.
"""
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision
from torchvision.models.googlenet import BasicConv2d

SEED = 0
SIDE = 224
BIAS = 0.05                                                 # the largest magnitude
POWER, POWER_DEVIATION = 5, 945 ** 0.5                      # of normal variables; 945 is the mean of the tenth power
OPTIONS = {
    "alexnet": {},
    "vgg16": {"init_weights": False},
    "googlenet": {"init_weights": False, "aux_logits": False, "transform_input": False},
}
TODAY = ["resnet50", "resnext50_32x4d", "densenet121", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x1_0",
         "convnext_tiny", "regnet_y_400mf", "vit_b_16"]
LAYER_SCALE = 0.3
ANY_SIDE = {"googlenet"}                                    # the heads of the other networks require their side


def network(name):
    return network_of_today(name) if name in TODAY else network_of_old(name)


def network_of_today(name):
    with torch.random.fork_rng(devices=[]):                 # torchvision initializes weights, which are replaced below
        torch.manual_seed(SEED)
        model = getattr(torchvision.models, name)(weights=None).eval().requires_grad_(False)
    random = torch.Generator().manual_seed(SEED)
    draw_weights(model, random)
    normalizations = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for module in normalizations:
        module.weight.uniform_(0.5, 1.5, generator=random)
        module.bias.uniform_(-BIAS, BIAS, generator=random)
        module.momentum = 1                                 # the statistics of one batch
        module.train()
    for key, parameter in model.named_parameters():
        if key.endswith("layer_scale"):
            parameter.normal_(std=LAYER_SCALE, generator=random)
    for module in model.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    if normalizations:
        with torch.no_grad():
            model(torch.rand((4, 3, SIDE, SIDE), generator=random))
    return model.eval()


def network_of_old(name):
    with torch.device("meta"):                              # weights are initialized below
        model = getattr(torchvision.models, name)(weights=None, **OPTIONS[name])
        for parent in list(model.modules()):
            for key, child in list(parent.named_children()):
                if isinstance(child, BasicConv2d):
                    setattr(parent, key, folded(child))
                elif isinstance(child, torch.nn.ReLU):
                    child.inplace = False
    model = model.to_empty(device="cpu").eval().requires_grad_(False)
    draw_weights(model, torch.Generator().manual_seed(SEED))
    return model


def draw_weights(model, random):
    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            deviation = (2 / module.weight[0].numel()) ** 0.5
            module.weight.normal_(generator=random)
            if isinstance(module, torch.nn.Linear):
                module.weight.pow_(POWER)
                deviation /= POWER_DEVIATION
            module.weight.mul_(deviation)
            if module.bias is not None:
                module.bias.uniform_(-BIAS, BIAS, generator=random)


def folded(block):
    conv = block.conv
    return torch.nn.Sequential(
        torch.nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding), torch.nn.ReLU())


def image():
    """Pixels from 0 to 1. They are never negative, so z⁺ is exact also in the first layer, and the box of z^B is [0, 1]."""
    return np.random.default_rng(SEED).uniform(size=(1, 3, SIDE, SIDE)).astype(np.float32)


def export(name, path):
    axes = {0: "batch", **({2: "height", 3: "width"} if name in ANY_SIDE else {})}
    torch.backends.mha.set_fastpath_enabled(False)          # ONNX has no operator for PyTorch's own attention
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network(name), (torch.from_numpy(image()),), str(path), dynamo=False, opset_version=17, verbose=False,
                          input_names=["input"], output_names=["logits"],
                          dynamic_axes={"input": axes, "logits": {0: "batch"}})


PREPROCESSING = {"do_resize": False, "do_center_crop": False, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": False}


def write(name, folder):
    """Writes the files of a network. The model is written last, so that it marks a complete folder."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "input.npy", image())
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSING, indent=2) + "\n")
    partial = folder / "model.onnx.partial"
    export(name, partial)
    partial.rename(folder / "model.onnx")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in [*OPTIONS, *TODAY]:
        sys.exit(f"usage: networks.py {{{','.join([*OPTIONS, *TODAY])}}} FOLDER")
    write(sys.argv[1], Path(sys.argv[2]))
