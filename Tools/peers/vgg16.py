"""torchvision's VGG16 with seeded random weights: for Captum as a module, for others as an ONNX file with the same weights.

Usage: vgg16.py MODEL.onnx INPUT.npy        writes both
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision

SEED = 0
SIDE = 224


def network():
    """Rectifiers not in place: Captum's hooks need each layer's own output."""
    torch.manual_seed(SEED)
    model = torchvision.models.vgg16(weights=None).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False
    return model


def picture():
    """Pixels from 0 to 1, never negative: so z⁺ is what it says it is in the first layer too."""
    return np.random.default_rng(SEED).uniform(size=(1, 3, SIDE, SIDE)).astype(np.float32)


def export(model, path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, tensors, value = [], [], "input"

    def add(operator, inputs, name, **attributes):
        nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def weights(module, name):
        tensors.extend(numpy_helper.from_array(getattr(module, kind).detach().numpy(), f"{name}.{kind}") for kind in ("weight", "bias"))
        return [f"{name}.weight", f"{name}.bias"]

    block, index = 1, 1
    for module in model.features:
        if isinstance(module, torch.nn.Conv2d):
            name = f"conv{block}_{index}"
            value = add("Conv", [value, *weights(module, name)], name, kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)
        elif isinstance(module, torch.nn.ReLU):
            value, index = add("Relu", [value], f"relu{block}_{index}"), index + 1
        else:
            value = add("MaxPool", [value], f"pool{block}", kernel_shape=[2, 2], strides=[2, 2])
            block, index = block + 1, 1
    value = add("Flatten", [value], "flatten", axis=1)              # the adaptive pooling before it is 7 × 7 to 7 × 7: nothing
    linear = [module for module in model.classifier if isinstance(module, torch.nn.Linear)]
    for number, module in enumerate(linear, start=6):
        last = module is linear[-1]
        value = add("Gemm", [value, *weights(module, f"fc{number}")], "logits" if last else f"fc{number}", transB=1)
        if not last:
            value = add("Relu", [value], f"relu{number}")           # dropout does nothing here
    graph = helper.make_graph(nodes, "vgg16", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
                              [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 1000])], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made)
    onnx.save(made, path)


if __name__ == "__main__":
    model_path, input_path = map(Path, sys.argv[1:3])
    for path, write in (model_path, lambda p: export(network(), p)), (input_path, lambda p: np.save(p.open("wb"), picture())):
        partial = path.with_name(path.name + ".partial")
        write(partial)
        partial.rename(path)
