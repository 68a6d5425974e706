"""SqueezeNet 1.1 as an ONNX graph, with the files for its preprocessing and its labels.

The network is release 1.1 of Iandola et al. 2016 (arXiv 1602.07360), as its authors trained it: BGR pixels from 0 to 255 minus their mean, no
padding in `conv1`, pooling that rounds sizes up, and a rectifier between the last convolution and the global average.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 13, 8                                   # the oldest versions with everything that this graph needs, for all readers
CLASSES = 1000
FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
POOLED_FIRES = (3, 5)                                       # 1.1 pools after conv1, fire3 and fire5
MEAN_RGB = [123.68, 116.779, 103.939]

# The crop has the length of the shorter side, so an image whose shorter side is 227 pixels is not scaled.
PREPROCESSOR = {
    "do_resize": True, "size": {"shortest_edge": 227}, "resample": 2,
    "do_center_crop": True, "crop_size": {"height": 227, "width": 227},
    "do_rescale": False,
    "do_normalize": True, "image_mean": MEAN_RGB, "image_std": [1.0, 1.0, 1.0],
    "do_flip_channel_order": True,
}


def weight_shapes():
    """Layer → (kernel height, kernel width, channels in, channels out), with the keys of the released weights."""
    shapes, channels = {"conv1": (3, 3, 3, 64)}, 64
    for fire, (squeeze, expand) in FIRES.items():
        shapes[f"fire{fire}/squeeze1x1"] = (1, 1, channels, squeeze)
        shapes[f"fire{fire}/expand1x1"] = (1, 1, squeeze, expand)
        shapes[f"fire{fire}/expand3x3"] = (3, 3, squeeze, expand)
        channels = 2 * expand
    return shapes | {"conv10": (1, 1, channels, CLASSES)}


def model(weights):
    """The ONNX model. `weights`: layer → (kernel as height × width × in × out, bias). Every value is named after its node."""
    nodes, tensors = [], []

    def add(operator, name, inputs, output=None, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output or name], name=name, **attributes))
        return output or name

    def convolution(value, name, key, stride=1, padding=0):
        kernel, bias = weights[key]
        oihw = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1), dtype="<f4")
        tensors.append(numpy_helper.from_array(oihw, f"{name}.weight"))
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(bias, dtype="<f4"), f"{name}.bias"))
        value = add("Conv", name, [value, f"{name}.weight", f"{name}.bias"],
                    kernel_shape=oihw.shape[2:], strides=[stride] * 2, pads=[padding] * 4)
        return add("Relu", f"relu_{name}", [value])

    def pool(value, name):
        return add("MaxPool", name, [value], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)

    value = pool(convolution("input", "conv1", "conv1", stride=2), "pool1")
    for fire in FIRES:
        squeezed = convolution(value, f"fire{fire}_squeeze", f"fire{fire}/squeeze1x1")
        value = add("Concat", f"fire{fire}_concat",
                    [convolution(squeezed, f"fire{fire}_expand1x1", f"fire{fire}/expand1x1"),
                     convolution(squeezed, f"fire{fire}_expand3x3", f"fire{fire}/expand3x3", padding=1)], axis=1)
        if fire in POOLED_FIRES:
            value = pool(value, f"pool{fire}")
    value = add("GlobalAveragePool", "pool10", [convolution(value, "conv10", "conv10")])
    add("Flatten", "flatten", [value], output="logits", axis=1)

    graph = helper.make_graph(
        nodes, "squeezenet1.1",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, "height", "width"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", CLASSES])], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                             producer_name="RelevanceKit", doc_string="SqueezeNet 1.1, ImageNet weights from ndf 0.1.4 (MIT)")
    onnx.checker.check_model(made, full_check=True)
    return made
