"""Exports torchvision's classification CNNs with both exporters, and compares the package's results with those of ONNX Runtime.

    python -m checks.sweep_torchvision --relevance PATH --scratch FOLDER [--only NAME...]

`PATH` is the built tool (`swift build -c release`). Writes torchvision.md beside this script: for every export, the largest difference of the
logits relative to the largest logit, and the conservation of LRP; or the tool's error. Exports are made once and remain in the scratch folder
(4 GB).
"""

import argparse
import collections
import json
import pathlib
import subprocess
import warnings

import numpy as np
import onnx
import torch
import torchvision

from runtime import run
from seeded import seeded_tensor

TABLE = pathlib.Path(__file__).resolve().parent / "torchvision.md"
NAMES = ("input", "logits")
LOGITS_TOLERANCE = 1e-4
CONSERVATION_TOLERANCE = 1e-3

# name: (side of the image, opset of the TorchScript exporter, opset of the dynamo exporter or None for its own,
#        which of the exports have a symbolic batch)
NETWORKS = {
    "alexnet": (224, 9, None, "torchscript"),
    "vgg11": (224, 13, None, "dynamo"),
    "vgg16": (224, 11, None, "torchscript"),
    "vgg16_bn": (224, 17, None, "dynamo"),
    "googlenet": (224, 12, None, "dynamo"),
    "inception_v3": (299, 13, None, "torchscript"),
    "squeezenet1_0": (224, 10, None, "dynamo"),
    "squeezenet1_1": (224, 18, None, "torchscript"),
    "resnet18": (224, 7, None, "dynamo"),
    "resnet50": (224, 15, None, "torchscript"),
    "resnext50_32x4d": (224, 11, None, "dynamo"),
    "densenet121": (224, 13, None, "torchscript"),
    "shufflenet_v2_x1_0": (224, 12, None, "dynamo torchscript"),
    "mobilenet_v2": (224, 10, None, "torchscript"),
    "mobilenet_v3_small": (224, 13, None, "dynamo"),
    "mobilenet_v3_large": (224, 14, None, "torchscript"),
    "efficientnet_b0": (224, 16, None, "dynamo"),
    "mnasnet1_0": (224, 11, None, "torchscript"),
    "convnext_tiny": (224, 17, None, "torchscript"),
}
# These two scale the image themselves if they are loaded with pretrained weights.
OPTIONS = {
    "googlenet": {"aux_logits": False, "transform_input": True, "init_weights": False},
    "inception_v3": {"aux_logits": True, "transform_input": True, "init_weights": False},
}


def architecture(name):
    """The network with seeded weights, nontrivial statistics of batch normalization, and matching layer scales."""
    torch.manual_seed(20 + list(NETWORKS).index(name))
    network = getattr(torchvision.models, name)(weights=None, **OPTIONS.get(name, {})).eval()
    if name == "inception_v3":
        network.aux_logits, network.AuxLogits = False, None
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.running_mean, module.bias):
                torch.nn.init.uniform_(tensor, -0.1, 0.1)
            for tensor in (module.running_var, module.weight):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
        if hasattr(module, "layer_scale"):
            torch.nn.init.uniform_(module.layer_scale, 0.1, 0.5)
    return network


def export(name, exporter, path):
    side, older, newer, symbolic = NETWORKS[name]
    image = torch.zeros(1, 3, side, side)
    options = dict(input_names=NAMES[:1], output_names=NAMES[1:], verbose=False)
    if exporter == "dynamo":
        if exporter in symbolic:
            options["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)
        torch.onnx.export(
            architecture(name), (image,), path, dynamo=True, opset_version=newer, external_data=False, **options
        )
    else:
        if exporter in symbolic:
            options["dynamic_axes"] = {axis: {0: "batch"} for axis in NAMES}
        torch.onnx.export(architecture(name), (image,), str(path), dynamo=False, opset_version=older, **options)


def tool(relevance, *arguments):
    """Runs the tool. Returns its error, or None."""
    result = subprocess.run([str(relevance), *map(str, arguments)], capture_output=True, text=True)
    if result.returncode == 0:
        return None
    lines = result.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit status {result.returncode}"


def sentence(refusal, path):
    """An error without the file's name, short enough for a table."""
    text = refusal.removeprefix("relevance: ").replace(f"{path}: ", "").replace(str(path.parent) + "/", "")
    return (text if len(text) <= 200 else text[:199] + "…").replace("|", "\\|")


def compare(name, exporter, relevance, scratch):
    """One row of the table."""
    path = scratch / f"{name}-{exporter}.onnx"
    symbolic = exporter in NETWORKS[name][3]
    if not path.exists():
        try:
            export(name, exporter, path)
        except Exception as error:
            path.unlink(missing_ok=True)
            return [name, exporter, "", "", "", f"the exporter fails: {type(error).__name__}", ""]
    model = onnx.load(str(path), load_external_data=False)
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    operators = ", ".join(sorted(collections.Counter(node.op_type for node in model.graph.node)))
    del model
    row = [name, exporter, str(opset), "symbolic" if symbolic else "1", operators]
    side = NETWORKS[name][0]
    image, output = scratch / f"image-{side}.npy", scratch / "results" / path.stem
    np.save(image, seeded_tensor(5, (1, 3, side, side), -2, 2))
    expected = run(path, np.load(image))
    refusal = tool(relevance, "predict", path, image, "--save", "npy", "--output", output)
    if refusal:
        return [*row, sentence(refusal, path), ""]
    found = np.load(output / image.stem / "logits.npy")
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    row.append(f"{difference:.1e}" + ("" if difference <= LOGITS_TOLERANCE else " **too large**"))
    refusal = tool(relevance, "explain", path, image, "--method", "lrp", "--save", "npy,json", "--output", output)
    if refusal:
        return [*row, sentence(refusal, path)]
    best = int(expected[0].argmax())
    maps = output / image.stem / f"class{best}.lrp.npy"
    if not maps.exists():
        return [*row, "the top class differs"]
    score, total = expected[0, best], np.load(maps).sum(dtype=np.float64)
    missing = abs(total - score) / abs(score)
    if missing <= CONSERVATION_TOLERANCE:
        return [*row, f"{missing:.1e}"]
    ledger = json.loads((output / "report.json").read_text())["inputs"][0]["explanations"][0]["ledger"]
    absorbed = sum(entry["absorbed"] for entry in ledger if entry["rule"] == "zPlus") / (score - total)
    return [*row, f"{missing:.1e} **absorbed**, {absorbed:.0%} of it by z⁺"]


def table(rows):
    head = ["network", "exporter", "opset", "batch", "operators", "logits", "LRP"]
    lines = [head, ["---"] * len(head), *rows]
    return f"""# torchvision's classification CNNs

Written by `sweep_torchvision.py`: torchvision {torchvision.__version__.split("+")[0]}, PyTorch {torch.__version__.split("+")[0]}, seeded weights, one seeded input.
*Logits*: the largest difference from ONNX Runtime, relative to the largest logit; the limit is {LOGITS_TOLERANCE:.0e}.
*LRP*: |ΣR − S| / |S| for the top class with the default table, or the tool's error. Values above {CONSERVATION_TOLERANCE:.0e} are marked *absorbed*, with
the share that z⁺ nodes absorb according to the ledger: a unit that is positive only because of its bias, with all inputs 0, has no input to pass
relevance to. In these untrained networks, this applies to about half of the units of the late depthwise convolutions.

""" + "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--relevance", required=True, type=pathlib.Path)
    parser.add_argument("--scratch", required=True, type=pathlib.Path)
    parser.add_argument("--only", nargs="*", choices=NETWORKS, metavar="NAME", help="print only these rows, and write no file")
    parser.add_argument("--export", action="store_true", help="only make the exports")
    arguments = parser.parse_args()
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    warnings.filterwarnings("ignore")
    rows = []
    for name in arguments.only or NETWORKS:
        for exporter in ("torchscript", "dynamo"):
            if arguments.export:
                path = arguments.scratch / f"{name}-{exporter}.onnx"
                if not path.exists():
                    export(name, exporter, path)
                continue
            rows.append(compare(name, exporter, arguments.relevance, arguments.scratch))
            print(" | ".join(rows[-1]), flush=True)
    if rows and not arguments.only:
        TABLE.write_text(table(rows))


if __name__ == "__main__":
    main()
