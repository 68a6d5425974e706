"""Networks of timm, torchvision, PyTorch itself and scikit-learn."""

import json
import shutil

import numpy as np

from checks.layout_cases import CLASSES, NAMES, Made, case, is_made, runtime_logits, seed_torch, torch_export, torch_logits


def timm_case(folder, architecture, options=None, data=None, names="list", layout="flat", dynamo=False):
    """A network exported by timm's function, with the config.json of `save_for_hf`. `data` is the preprocessing."""
    import timm
    import timm.data
    import timm.models
    from timm.utils import onnx

    options = options or {}
    network = timm.create_model(architecture, pretrained=False, num_classes=CLASSES, **options)
    network = seed_torch(network, (4, options.get("in_chans", 3), 224, 224))
    network.pretrained_cfg.update(data or {})
    words = {"list": NAMES, "gaps": {index: name for index, name in enumerate(NAMES) if index != 3}}[names]
    saved = folder / "saved"
    timm.models.save_for_hf(network, str(saved), model_config={"label_names": words})
    model = saved / "onnx/model.onnx" if layout == "onnx" else saved / "model.onnx"
    model.parent.mkdir(exist_ok=True)
    configuration = timm.data.resolve_data_config({}, pretrained_cfg=json.loads((saved / "config.json").read_text())["pretrained_cfg"])
    if not is_made(model):
        extents = {"batch_size": 1, "input_size": tuple(configuration["input_size"]), "dynamic_size": layout == "onnx"}
        onnx.onnx_export(network, str(model), use_dynamo=dynamo, input_names=["input"], output_names=["logits"], **extents)
    transform = timm.data.create_transform(**configuration)
    label = (lambda index: NAMES[index].split(",")[0]) if names == "list" else None

    def prepare(image):
        return transform(image.convert("L") if "in_chans" in options else image)[None].numpy()

    return Made(saved, prepare, runtime_logits(model), label=label)


TIMM = {
    "timm-resnet": ("resnet18", {}, {"crop_pct": 0.95, "interpolation": "bicubic"}),
    "timm-resnet-gaps": ("resnet18", {}, {}, "gaps"),
    "timm-mobilenetv3": ("mobilenetv3_small_050",),
    "timm-efficientnet-onnx": ("efficientnet_lite0", {}, {}, "list", "onnx"),
    "timm-efficientnet-dynamo": ("efficientnet_lite0", {}, {}, "list", "flat", True),
    "timm-convnext": ("convnext_atto",),
    "timm-squash": ("regnety_002", {}, {"crop_mode": "squash", "crop_pct": 0.9}),
    "timm-border": ("resnet10t", {}, {"crop_mode": "border"}),
    "timm-gray": ("resnet10t", {"in_chans": 1}, {"mean": (0.449,), "std": (0.226,)}),
    "timm-repvgg": ("repvgg_a0",),
    "timm-ghostnet": ("ghostnet_050",),
    "timm-test-size": ("resnet10t", {}, {"test_input_size": (3, 256, 256), "test_crop_pct": 0.95}),
}
for name, (architecture, *rest) in TIMM.items():
    what = f"{architecture}, config.json" + (f", {rest[1]}" if len(rest) > 1 and rest[1] else "")
    case(name, "timm", what + ("; onnx/model.onnx" if "onnx" in rest[3:] else ""), architecture, *rest)(timm_case)


def torchvision_case(folder, architecture, dynamo=False, written=False):
    """A network of torchvision with the preprocessing of its weights, which is written down if it differs from the default assumption."""
    import torch
    import torchvision

    torch.manual_seed(5)
    network = seed_torch(getattr(torchvision.models, architecture)(weights=None))
    weights = torchvision.models.get_model_weights(architecture).DEFAULT
    transform, categories = weights.transforms(), weights.meta["categories"]
    model = folder / "model.onnx"
    side = transform.crop_size[0]
    if not is_made(model):
        torch_export(network, torch.zeros(1, 3, side, side), model, dynamo)
    if written:
        settings = {
            "size": {"shortest_edge": transform.resize_size[0]}, "crop_size": side, "crop_rounding": "torchvision",
            "resample": {"bilinear": 2, "bicubic": 3}[transform.interpolation.value],
            "image_mean": transform.mean, "image_std": transform.std,
        }
        (folder / "preprocessor_config.json").write_text(json.dumps(settings))
        (folder / "config.json").write_text(json.dumps({"id2label": dict(enumerate(categories))}))
    else:
        import torchvision.transforms._presets as presets

        transform = presets.ImageClassification(crop_size=224)
    label = (lambda index: categories[index].split(",")[0]) if written else None
    return Made(model, lambda image: transform(image)[None].numpy(), torch_logits(network), label=label)


for name, rest in {
    "torchvision-resnet18": ("resnet18",),
    "torchvision-resnet18-dynamo": ("resnet18", True),
    "torchvision-mobilenet-v3": ("mobilenet_v3_small", True, True),
    "torchvision-efficientnet-v2": ("efficientnet_v2_s", False, True),
    "torchvision-regnet": ("regnet_y_400mf", False, True),
}.items():
    how = ("dynamo" if True in rest[1:2] else "TorchScript") + (", transforms() written down" if len(rest) > 2 else "")
    case(name, "torch torchvision", f"{rest[0]} by {how}", *rest)(torchvision_case)


def normalized(folder, dynamo, size):
    """A network similar to AlexNet, with `LocalResponseNorm`."""
    import torch
    import torchvision.transforms._presets as presets
    from torch import nn

    torch.manual_seed(6)
    layers = [
        nn.Conv2d(3, 16, 7, stride=4), nn.ReLU(), nn.LocalResponseNorm(size, alpha=1e-2, beta=0.75, k=2.0), nn.MaxPool2d(3, 2),
        nn.Conv2d(16, 32, 3, groups=2), nn.ReLU(), nn.LocalResponseNorm(size), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, CLASSES),
    ]
    network = seed_torch(nn.Sequential(*layers))
    model = folder / "model.onnx"
    if not is_made(model):
        torch_export(network, torch.zeros(1, 3, 224, 224), model, dynamo)
    transform = presets.ImageClassification(crop_size=224)
    return Made(model, lambda image: transform(image)[None].numpy(), torch_logits(network))


for size in (5, 4):
    for dynamo in (False, True):
        name = f"lrn-{size}-{'dynamo' if dynamo else 'torchscript'}"
        case(name, "torch", f"`LocalResponseNorm({size})` by {name.split('-')[-1]}", dynamo, size)(normalized)


def perceptron(folder):
    """A network for scikit-learn's digits, which are tables of numbers."""
    import skl2onnx
    import sklearn.datasets
    import sklearn.neural_network

    values, classes = sklearn.datasets.load_digits(return_X_y=True)
    values = values.astype(np.float32)
    network = sklearn.neural_network.MLPClassifier((32,), max_iter=60, random_state=1).fit(values, classes)
    model = folder / "model.onnx"
    if not is_made(model):
        model.write_bytes(skl2onnx.to_onnx(network, values[:1], options={"zipmap": False}).SerializeToString())
    for index in range(2):
        np.save(folder / f"tensor-{index}.npy", values[index : index + 1])
    numbers = iter(range(100))

    def logits(_):
        # The logits before the softmax.
        hidden = np.maximum(values[next(numbers) : ][:1] @ network.coefs_[0] + network.intercepts_[0], 0)
        return hidden @ network.coefs_[1] + network.intercepts_[1]

    return Made(model, lambda image: None, logits, takes_tensors=True)


case("sklearn-mlp", "skl2onnx", "MLPClassifier, 64 numbers; given as .npy")(perceptron)
