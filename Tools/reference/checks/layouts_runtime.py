"""Files that ONNX Runtime and other tools write when they modify networks."""

import numpy as np

from checks.layout_cases import Made, case, is_made, runtime_logits, seed_torch, torch_export


def exported(folder, architecture):
    """A network of torchvision as a file, and its preprocessing."""
    import torch
    import torchvision
    import torchvision.transforms._presets as presets

    torch.manual_seed(5)
    source = folder / "exported.onnx"
    if not is_made(source):
        network = seed_torch(getattr(torchvision.models, architecture)(weights=None))
        torch_export(network, torch.zeros(1, 3, 224, 224), source, opset_version=17)
    transform = presets.ImageClassification(crop_size=224)
    return source, lambda image: transform(image)[None].numpy()


def optimized(folder, architecture, level):
    """A network that ONNX Runtime has optimized for this processor and saved."""
    import onnxruntime

    source, prepare = exported(folder, architecture)
    model = folder / "model.onnx"
    if not is_made(model):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_ENABLE_{level}")
        options.optimized_model_filepath = str(model)
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    return Made(model, prepare, runtime_logits(source))


NETWORKS = {"resnet": "resnet18", "mobilenet": "mobilenet_v2", "mobilenet-v3": "mobilenet_v3_small", "convnext": "convnext_tiny"}
for short, architecture in NETWORKS.items():
    for level in ("BASIC", "EXTENDED", "ALL"):
        case(f"runtime-{short}-{level.lower()}", "onnxruntime torchvision", f"{architecture}, optimized: {level.lower()}", architecture, level)(optimized)


class Calibration:
    """Images of noise for the calibration of activations."""

    def __init__(self):
        random = np.random.default_rng(1)
        self.items = iter([{"input": random.normal(size=(1, 3, 224, 224)).astype(np.float32)} for _ in range(4)])

    def get_next(self):
        return next(self.items, None)


def quantized(folder, architecture, kind, **options):
    """A network after ONNX Runtime's preprocessing for quantization and its quantization."""
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source, prepare = exported(folder, architecture)
    model = folder / "model.onnx"
    if not is_made(model):
        prepared = folder / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        if kind == "dynamic":
            quantization.quantize_dynamic(str(prepared), str(model), **options)
        else:
            quantization.quantize_static(
                str(prepared), str(model), Calibration(), quant_format=getattr(quantization.QuantFormat, kind), **options
            )
    # If a sum is rounded to another integer, the logits change by a visible step.
    return Made(model, prepare, runtime_logits(model), tolerance=0.1)


for short in ("resnet", "mobilenet"):
    for kind, options in {"QDQ": {}, "QDQ-channels": {"per_channel": True}, "QOperator": {}, "dynamic": {}}.items():
        name = f"runtime-{short}-{kind.lower()}"
        what = f"{NETWORKS[short]}, quantized: {kind}"
        case(name, "onnxruntime torchvision", what, NETWORKS[short], kind.split("-")[0], **options)(quantized)


def slimmed(folder, tool):
    import onnx

    source, prepare = exported(folder, "shufflenet_v2_x0_5")
    model = folder / "model.onnx"
    if not is_made(model):
        if tool == "onnxslim":
            import onnxslim

            onnx.save(onnxslim.slim(str(source)), str(model))
        else:
            import onnxsim

            onnx.save(onnxsim.simplify(onnx.load(str(source)))[0], str(model))
    return Made(model, prepare, runtime_logits(source))


for tool in ("onnxslim", "onnxsim"):
    case(tool, f"{tool} torchvision", "shufflenet_v2_x0_5, simplified", tool)(slimmed)


def halved(folder, keeps_types):
    import onnx
    from onnxconverter_common import float16

    source, prepare = exported(folder, "resnet18")
    model = folder / "model.onnx"
    if not is_made(model):
        onnx.save(float16.convert_float_to_float16(onnx.load(str(source)), keep_io_types=keeps_types), str(model))
    return Made(model, prepare, runtime_logits(source), tolerance=0.02)


for keeps_types in (True, False):
    name = "float16-inside" if keeps_types else "float16"
    case(name, "onnxconverter-common torchvision", f"resnet18 in half precision, input {'not' if keeps_types else 'too'}", keeps_types)(halved)
