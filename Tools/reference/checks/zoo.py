"""The networks of torchvision and timm for check_zoo.py: their names, their seeded weights, and their export.

    python -m checks.zoo KEY PATH

writes an export, where `KEY` is `LIBRARY/NAME/EXPORTER`, a `.json` file beside it with facts about the export, and an `.npy` file with the logits of
ONNX Runtime. `check_zoo.py` runs this once per key in a separate process.
"""

import argparse
import collections
import json
import pathlib
import re
import tempfile
import time
import warnings
import zlib

import numpy as np
import onnx
import torch
import torchvision

from seeded import seeded_tensor

TIMM = """
vit_tiny_patch16_224 deit_tiny_distilled_patch16_224 beit_base_patch16_224 swin_tiny_patch4_window7_224 maxvit_tiny_tf_224
mobilevit_s efficientformer_l1 coatnet_0_rw_224 poolformer_s12 mixer_s16_224 convnextv2_atto regnety_008 tf_efficientnetv2_s
ghostnet_100 mobilenetv4_hybrid_medium hrnet_w18_small inception_resnet_v2 nfnet_f0

vit_small_patch14_reg4_dinov2 eva02_tiny_patch14_224 swinv2_tiny_window8_256 mobilevitv2_100 caformer_s18 gmlp_s16_224
resmlp_12_224 cait_xxs24_224 crossvit_tiny_240 xcit_nano_12_p16_224 pvt_v2_b0 levit_128s focalnet_tiny_srf davit_tiny
res2net50_26w_4s resnest26d volo_d1_224 fastvit_t8 hiera_tiny_224 mvitv2_tiny efficientvit_b0 convmixer_768_32
""".split()
TIMM_OPTIONS = {"vit_small_patch14_reg4_dinov2": {"img_size": 224, "num_classes": 1000}}
CLASSIFIERS = torchvision.models.list_models(module=torchvision.models)
CLASSIFIER_OPTIONS = {
    "googlenet": {"aux_logits": False, "init_weights": False},
    "inception_v3": {"aux_logits": True, "init_weights": False},
}
SIDES = {"inception_v3": 299, "ssd300_vgg16": 300, "ssdlite320_mobilenet_v3_large": 320, "maxvit_t": 224}
SEGMENTERS = torchvision.models.list_models(module=torchvision.models.segmentation)
# One-stage detectors up to the selection of boxes. R-CNNs crop regions with selected boxes, which is control flow.
DETECTORS = ["fcos_resnet50_fpn", "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2", "ssd300_vgg16", "ssdlite320_mobilenet_v3_large"]
EXPORTERS = ("torchscript", "dynamo")
# Alternately with and without LayerNormalization and Gelu as operators, and with and without Attention and RMSNormalization.
OPSETS = {"torchscript": (17, 20, 14), "dynamo": (None, 23)}
LARGEST_MODEL = 1_800_000_000  # bytes; larger models have external weights


def keys():
    """The keys of all exports: timm's first, then torchvision's."""
    names = [("timm", name) for name in TIMM]
    names += [("torchvision", name) for name in CLASSIFIERS + SEGMENTERS + DETECTORS]
    return [f"{library}/{name}/{exporter}" for library, name in names for exporter in EXPORTERS]


class Segmenter(torch.nn.Module):
    """A network of `torchvision.models.segmentation` with its scores as output."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image)["out"]


class Detector(torch.nn.Module):
    """A detector of torchvision up to the selection of boxes. The first output contains scores by anchor and class."""

    def __init__(self, network):
        super().__init__()
        self.backbone, self.head = network.backbone, network.head

    def forward(self, image):
        features = list(self.backbone(image).values())
        found = self.head(features) if not hasattr(self.head, "classification_head") else self.parts(features)
        return found["cls_logits"], *(value for name, value in found.items() if name != "cls_logits")

    def parts(self, features):
        """The `forward` of the heads; the second part of FCOS has two results."""
        boxes = self.head.regression_head(features)
        boxes = boxes if isinstance(boxes, tuple) else (boxes,)
        return {"cls_logits": self.head.classification_head(features)} | dict(enumerate(boxes))


def built(library, name, exportable=True):
    """The network without weights, and the side of its images.

    Among other things, timm's `exportable` writes attention as basic operations; without it, PyTorch's function is called.
    """
    if library == "timm":
        import timm

        network = timm.create_model(name, pretrained=False, exportable=exportable, **TIMM_OPTIONS.get(name, {}))
        return network, network.pretrained_cfg["input_size"][-1] if name not in TIMM_OPTIONS else 224
    if name in SEGMENTERS:
        network = torchvision.models.segmentation.__dict__[name](weights=None, weights_backbone=None)
        return Segmenter(network), 224
    if name in DETECTORS:
        network = torchvision.models.detection.__dict__[name](weights=None, weights_backbone=None)
        return Detector(network), SIDES.get(name, 256)
    network = torchvision.models.get_model(name, weights=None, **CLASSIFIER_OPTIONS.get(name, {}))
    if name == "inception_v3":
        network.aux_logits, network.AuxLogits = False, None
    return network, SIDES.get(name, 224)


@torch.no_grad()
def enlivened(network, images):
    """The network without constant initial values, as after training.

    Tensors that are all ones, all zeros or a small constant (scales, shifts, biases, layer scales, class tokens, heads) receive random values; the
    statistics of batch normalization are computed from `images`.
    """
    for module in network.modules():
        for name, values in module.named_parameters(recurse=False):
            if values.numel() < 2 or values.min() < values.max():
                continue
            first = values.flatten()[0].item()
            if first == 1:
                values.uniform_(0.5, 1.5)
            elif 0 < abs(first) < 0.1:
                values.uniform_(0.1, 0.5)
            elif values.squeeze().dim() > 1:
                values.normal_(0, values.shape[-1] ** -0.5 if name == "weight" else 0.1)
            else:
                values.uniform_(-0.1, 0.1)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    hooks = [module.register_forward_pre_hook(calibrate) for module in norms if module.track_running_stats]
    network.eval()(images)
    for hook in hooks:
        hook.remove()
    return network


def calibrate(module, inputs):
    """Sets a batch normalization to the perturbed statistics of its input before it uses them.

    Therefore the input of the next layer matches its own statistics in networks of any depth. The mean is one deviation too low, and deviations are
    large and have a lower bound: otherwise half of all units would be inactive by chance, nearly constant channels would be scaled up, and each layer
    of an untrained network would multiply rounding errors.
    """
    axes = [axis for axis in range(inputs[0].dim()) if axis != 1]
    variance, mean = torch.var_mean(inputs[0], axes, correction=0)
    variance = variance.clamp(min=0.3 * variance.mean().item())
    module.running_mean.copy_(mean - variance.sqrt() * torch.empty_like(mean).uniform_(0.9, 1.1))
    module.running_var.copy_(variance * torch.empty_like(mean).uniform_(1, 3))


def export(network, image, count, exporter, opset, path):
    """Writes the export to `path`, with `count` outputs, and with external weights if it is too large."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    names = ["logits", *(f"other{index}" for index in range(1, count))]
    options = dict(input_names=["input"], output_names=names, verbose=False, opset_version=opset)
    if exporter == "dynamo":
        program = torch.export.export(network, (image,), strict=False)
        torch.onnx.export(program, (), path, dynamo=True, external_data=size > LARGEST_MODEL, **options)
    elif size <= LARGEST_MODEL:
        torch.onnx.export(network, (image,), str(path), dynamo=False, **options)
    else:
        # This exporter writes a file for every weight.
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            torch.onnx.export(network, (image,), f"{folder}/model.onnx", dynamo=False, **options)
            model = onnx.load(f"{folder}/model.onnx")
        onnx.save_model(model, path, save_as_external_data=True, location=path.name + ".data")


def live_nodes(model):
    """The number of nodes that depend on the image, by operator. Shapes are constants, because the image's shape is."""
    constants = {tensor.name for tensor in model.graph.initializer}
    live = {entry.name for entry in model.graph.input} - constants
    counts = collections.Counter()
    for node in model.graph.node:
        if node.op_type not in ("Shape", "Size") and any(name in live for name in node.input):
            live.update(node.output)
            domain = "" if node.domain in ("", "ai.onnx") else node.domain + "."
            counts[domain + node.op_type] += 1
    return dict(sorted(counts.items()))


def computed(path, images):
    """The first output in ONNX Runtime for each image."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [session.run(["logits"], {"input": image})[0] for image in images]


def image_of(side, seed=5):
    """A seeded input: noise added to a coarse pattern, so that averages over positions depend on the image."""
    coarse = seeded_tensor(seed + 100, (1, 3, 4, 4), -1.5, 1.5)
    cells = np.arange(side) * 4 // side
    return coarse[:, :, cells][:, :, :, cells] + seeded_tensor(seed, (1, 3, side, side), -1, 1)


def made(key, path, exportable):
    """Writes the export of `key`, and returns facts about it."""
    library, name, exporter = key.split("/")
    index = keys().index(key) // len(EXPORTERS)
    opset = OPSETS[exporter][index % len(OPSETS[exporter])]
    torch.manual_seed(zlib.crc32(f"{library}/{name}".encode()))
    network, side = built(library, name, exportable)
    images = [image_of(side, seed) for seed in (5, 6)]
    network = enlivened(network, torch.from_numpy(np.concatenate(images)))
    start = time.monotonic()
    with torch.no_grad():
        expected = network(torch.from_numpy(images[0]))
    # Without gradients, PyTorch's attention modules use a fast path that cannot be exported.
    count = len(expected) if isinstance(expected, tuple) else 1
    export(network, torch.from_numpy(images[0]), count, exporter, opset, path)
    seconds = time.monotonic() - start
    expected = (expected[0] if isinstance(expected, tuple) else expected).numpy()
    del network
    model = onnx.load(str(path), load_external_data=False)
    first, second = computed(path, images)
    np.save(path.with_suffix(".npy"), first)
    largest = float(np.abs(first).max())
    return {
        "side": side,
        "opset": next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")),
        "nodes": len(model.graph.node),
        "live": live_nodes(model),
        "bytes": sum(file.stat().st_size for file in path.parent.glob(path.name + "*")),
        "seconds": round(seconds, 1),
        "largest_logit": largest,
        "deviation": float(first.std()) / largest,
        "change": float(np.abs(first - second).max()) / largest,
        "pytorch": float(np.abs(first - expected).max()) / largest,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("key")
    parser.add_argument("path", type=pathlib.Path)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    # The newer exporter receives PyTorch's attention if it supports it.
    for exportable in (False, True) if arguments.key.startswith("timm/") and arguments.key.endswith("dynamo") else (True,):
        try:
            facts = made(arguments.key, arguments.path, exportable)
            break
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            facts = {"error": re.sub("\x1b\\[[0-9;]*m", "", reason)[:600]}
    arguments.path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
