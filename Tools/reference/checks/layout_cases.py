"""The cases of make_layouts.py."""

import dataclasses
import importlib.util
import pathlib
from typing import Any, Callable

import numpy as np

MAKE_AGAIN = False
CLASSES = 20
NAMES = [f"kind {index}, sort {index}" for index in range(CLASSES)]


@dataclasses.dataclass
class Made:
    """A file or folder of a model, with the preprocessing and the logits of its library."""

    location: pathlib.Path
    # From a Pillow image to the network's input, and from that to the logits.
    prepare: Callable
    logits: Callable
    # The name of a class, if a file contains it.
    label: Callable | None = None
    # Resized images differ by up to 1/255 if a library uses another algorithm than Pillow.
    tolerance: float = 1e-4
    takes_tensors: bool = False

    def tensor_file(self, folder, index):
        path = folder / f"tensor-{index}.npy"
        return path


@dataclasses.dataclass
class Case:
    packages: list[str]
    what: str
    make: Callable[[pathlib.Path], Made]

    @property
    def is_available(self):
        modules = {"tensorflow-cpu": "tensorflow", "onnxconverter-common": "onnxconverter_common", "optimum-onnx": "optimum"}
        return all(importlib.util.find_spec(modules.get(name, name)) for name in self.packages)


CASES: dict[str, Case] = {}


def case(name, packages, what, *arguments, **options):
    """Registers a case: a function of a folder and `arguments`."""

    def register(function):
        CASES[name] = Case(packages.split(), what, lambda folder: function(folder, *arguments, **options))
        return function

    return register


def is_made(path):
    return path.exists() and not MAKE_AGAIN


def session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Not a higher optimization level: it would compute quantized networks differently.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def runtime_logits(path):
    """The first output in ONNX Runtime."""

    def run(values):
        network = session(path)
        entry = network.get_inputs()[0]
        kind = {"tensor(float16)": np.float16, "tensor(uint8)": np.uint8}.get(entry.type, np.float32)
        return network.run(None, {entry.name: np.asarray(values).astype(kind)})[0].astype(np.float32)

    return run


def seed_torch(network, shape=(4, 3, 224, 224), seed=7):
    """Sets weights that give different images different outputs, sets batch normalization to the statistics of noise, which saturates no layer, and
    switches to evaluation mode."""
    import torch

    torch.manual_seed(seed)
    normalizations = []
    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(module.weight)
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.BatchNorm1d)):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.1, 0.1)
            normalizations.append(module)
    for name, parameter in network.named_parameters():
        if parameter.ndim < 2 and ("gamma" in name or "lambda" in name or "layer_scale" in name):
            torch.nn.init.uniform_(parameter, 0.1, 0.5)
    network.eval()
    for module in normalizations:
        module.reset_running_stats()
        module.momentum = None
        module.train()
    with torch.no_grad():
        network(torch.randn(shape))
    return network.eval()


def torch_logits(network):
    import torch

    def run(values):
        with torch.no_grad():
            found = network(torch.as_tensor(np.asarray(values)))
            return np.asarray(found[0] if isinstance(found, tuple) else getattr(found, "logits", found))

    return run


def torch_export(network, example, path, dynamo=False, **options):
    import torch

    if not dynamo:
        options = {"dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}} | options
    torch.onnx.export(
        network, (example,), str(path), dynamo=dynamo, input_names=["input"], output_names=["logits"], verbose=False, **options
    )


from checks import layouts_hub, layouts_keras, layouts_runtime, layouts_torch  # noqa: E402, F401  These modules register cases.
