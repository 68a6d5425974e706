"""Exports torchvision's AlexNet, VGG16, GoogLeNet and ResNet-18 to ONNX, without their weights.

    python -m writers.export_networks [NAME...]
"""

import argparse
import collections
import io
import pathlib
import tempfile
import warnings

import onnx
import torch
import torchvision

from onnx_files import FIXTURES, Ranges, write_described

NAMES = ("input", "logits")

# With uniform weights in the fully connected layers of AlexNet and VGG16, the maps of all classes agree to five digits, and a contrast of two classes
# would be lost in single precision. Heavy tails give different maps.
TAILS = Ranges(power=33)
# For maps that show whether biases are included and whether batch normalization is folded, these must have as much effect as in trained networks, and
# some scales are negative. There are no heavy tails, with which the map would depend on the winner of two almost equal values in a pool.
MARKED = Ranges(bias=0.3, scale=(-0.5, 2.0), shift=0.3)

# name: (architecture, exporter, opset or None for the exporter's own, batch is symbolic, side of the image, ranges)
NETWORKS = {
    "alexnet-torchscript": ("alexnet", "torchscript", 13, True, 224, TAILS),
    "alexnet-dynamo": ("alexnet", "dynamo", None, False, 224, Ranges()),
    "vgg16-torchscript": ("vgg16", "torchscript", 17, False, 224, TAILS),
    "vgg16-dynamo": ("vgg16", "dynamo", None, True, 224, Ranges()),
    "googlenet-torchscript": ("googlenet", "torchscript", None, False, 96, Ranges()),
    "googlenet-dynamo": ("googlenet", "dynamo", None, True, 96, Ranges()),
    "googlenet-batchnorm": ("googlenet", "batchnorm", 11, True, 96, Ranges()),
    "vgg16bn-kept": ("vgg16_bn", "batchnorm", 17, False, 96, MARKED),
    "resnet18-kept": ("resnet18", "batchnorm", 13, True, 96, MARKED),
    "googlenet-kept": ("googlenet", "batchnorm", 17, False, 96, MARKED),
    "alexnet-96": ("alexnet", "torchscript", 13, True, 96, TAILS),
    "vgg16-96": ("vgg16", "torchscript", 17, False, 96, TAILS),
}


def for_side(network, side):
    """The network for inputs of another side than 224: its fully connected layers read the last positions as they are, 2×2 or 3×3."""
    if side != 224 and hasattr(network, "features"):
        with torch.no_grad():
            positions = network.features(torch.zeros(1, 3, side, side)).flatten(1).shape[1]
        network.avgpool = torch.nn.Identity()
        index, first = next((i, m) for i, m in enumerate(network.classifier) if isinstance(m, torch.nn.Linear))
        network.classifier[index] = torch.nn.Linear(positions, first.out_features)
    return network.eval()


def architecture(name, exporter, side=224):
    """The network, initialized so that the exporter produces the required structure.

    With GoogLeNet's default batch-norm statistics, the folded biases are all zero. The TorchScript exporter merges equal initializers and shares them
    through Identity nodes, which one network tests; the dynamo exporter removes zero biases. Therefore the other networks have random statistics.
    """
    torch.manual_seed(0)
    options = {"alexnet": {}, "vgg16": {"init_weights": False}, "vgg16_bn": {"init_weights": False}, "resnet18": {}}
    options["googlenet"] = {"aux_logits": False, "transform_input": False, "init_weights": False}
    network = getattr(torchvision.models, name)(weights=None, **options[name]).eval()
    network = for_side(network, side)
    if exporter != "torchscript":
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                for tensor in (module.running_mean, module.bias):
                    torch.nn.init.uniform_(tensor, -0.1, 0.1)
                for tensor in (module.running_var, module.weight):
                    torch.nn.init.uniform_(tensor, 0.5, 1.5)
    return network


def export(name):
    """The exported model with its weights."""
    family, exporter, opset, symbolic, side, _ = NETWORKS[name]
    network = architecture(family, exporter, side)
    image = torch.zeros(1, 3, side, side)
    options = dict(input_names=NAMES[:1], output_names=NAMES[1:], opset_version=opset, verbose=False)
    if exporter == "dynamo":
        if symbolic:
            options["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.onnx"
            torch.onnx.export(network, (image,), path, dynamo=True, external_data=False, **options)
            return onnx.load(path)
    if symbolic:
        options["dynamic_axes"] = {axis: {0: "batch"} for axis in NAMES}
    if exporter == "batchnorm":
        options["training"] = torch.onnx.TrainingMode.PRESERVE
        options["do_constant_folding"] = False
    buffer = io.BytesIO()
    torch.onnx.export(network, (image,), buffer, dynamo=False, **options)
    return onnx.load_from_string(buffer.getvalue())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NETWORKS))
    names = parser.parse_args().names or list(NETWORKS)
    torch.set_num_threads(2)
    warnings.filterwarnings("ignore")
    for name in names:
        model = export(name)
        first_seed = 1000 * (1 + list(NETWORKS).index(name))
        description = write_described(model, FIXTURES / "networks" / name, first_seed, NETWORKS[name][-1])
        opset = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
        operators = dict(collections.Counter(node.op_type for node in model.graph.node))
        print(f"{name}: {opset}, {len(description['tensors'])} tensors, {description['bytes']} bytes, {operators}")


if __name__ == "__main__":
    main()
