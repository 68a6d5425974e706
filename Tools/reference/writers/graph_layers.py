"""The blocks of a random graph that are layers: convolutions, pools, normalization, activations. Each adds itself to a `Draw`."""

import numpy as np

MOST_CHANNELS = 12


def window(draw, kernel, pools):
    """Strides, pads and dilations of a window over two axes."""
    attributes = {}
    strides = [draw.choice(1, 1, 2, 3), draw.choice(1, 1, 2)]
    if strides != [1, 1] or draw.chance(0.3):
        attributes["strides"] = strides
    dilations = [1, 1]
    if draw.chance(0.3) and (not pools or draw.opset >= (10 if pools == "MaxPool" else 19)):
        dilations = attributes["dilations"] = [draw.choice(1, 2), draw.choice(1, 2, 3)]
    kind = draw.choice("none", "pads", "pads", "pads", "SAME_UPPER", "SAME_LOWER", "VALID")
    if kind == "pads":
        reach = [(size - 1) // (2 if pools else 1) for size in kernel]
        attributes["pads"] = [draw.random.randint(0, size) for size in reach + reach]
    elif kind != "none" and not (kind == "SAME_LOWER" and draw.opset < 12) and dilations == [1, 1]:
        attributes["auto_pad"] = kind
    if pools and draw.opset >= 10 and draw.chance(0.4):
        attributes["ceil_mode"] = 1
    pads = attributes.get("pads", [0, 0, 0, 0])
    for axis, size in enumerate(kernel):
        # ONNX Runtime accepts pooling windows that are larger than the padded input, because of C++'s integer division.
        if draw.shape[2 + axis] + pads[axis] + pads[2 + axis] < (size - 1) * dilations[axis] + 1:
            raise ValueError("a window is larger than its input")
    return attributes


def conv(draw):
    inputs = draw.shape[1]
    divisors = [n for n in range(1, inputs + 1) if inputs % n == 0]
    groups = draw.random.choice(divisors)
    outputs = groups * draw.random.randint(1, max(1, MOST_CHANNELS // groups))
    kernel = [draw.random.randint(1, 5), draw.random.randint(1, 4)] if draw.chance(0.5) else draw.choice([1, 1], [3, 3], [3, 3])
    fan_in = inputs // groups * kernel[0] * kernel[1]
    bound = (3 / fan_in) ** 0.5
    names = [draw.value, draw.seeded(outputs, inputs // groups, *kernel, low=-bound, high=bound)]
    if draw.chance(0.7):
        names.append(draw.seeded(outputs, low=-0.3, high=0.3))
    attributes = window(draw, kernel, None)
    if groups > 1 or draw.chance(0.2):
        attributes["group"] = groups
    if draw.chance(0.8):
        attributes["kernel_shape"] = kernel
    draw.follow(draw.node("Conv", names, **attributes))


def transposed_conv(draw):
    inputs, kernel = draw.shape[1], draw.choice([2, 2], [3, 3], [3, 2], [4, 4])
    outputs = draw.random.randint(1, 5)
    attributes = {"kernel_shape": kernel, "strides": [draw.choice(1, 2), draw.choice(1, 2)]}
    if draw.chance(0.5):
        attributes["pads"] = [draw.choice(0, 1) for _ in range(4)]
    if draw.chance(0.3) and attributes["strides"] == [2, 2]:
        attributes["output_padding"] = [1, 0]
    names = [draw.value, draw.seeded(inputs, outputs, *kernel, low=-0.4, high=0.4), draw.seeded(outputs)]
    draw.follow(draw.node("ConvTranspose", names, **attributes))


def pool(draw):
    operator = draw.choice("MaxPool", "AveragePool")
    kernel = [draw.random.randint(1, 4), draw.random.randint(2, 4)]
    attributes = window(draw, kernel, operator)
    if operator == "AveragePool" and draw.chance(0.4):
        attributes["count_include_pad"] = 1
    draw.follow(draw.node(operator, [draw.value], kernel_shape=kernel, **attributes))


def batch_normalization(draw):
    channels = draw.shape[1]
    names = [draw.seeded(channels, low=low, high=high) for low, high in ((0.5, 1.5), (-0.5, 0.5), (-0.5, 0.5), (0.5, 1.5))]
    attributes = {"epsilon": draw.choice(1e-5, 1e-3)}
    draw.value = draw.node("BatchNormalization", [draw.value, *names], **attributes)


def affine(draw):
    """Batch normalization as basic operations, as some exporters write it."""
    shape = draw.choice((1, draw.shape[1], 1, 1), (draw.shape[1], 1, 1))
    product = draw.node("Mul", [draw.value, draw.seeded(*shape, low=0.5, high=1.5)])
    operator = draw.choice("Add", "Sub")
    draw.value = draw.node(operator, [product, draw.seeded(*shape)])


def lrn(draw):
    size = draw.choice(1, 3, 5)
    draw.value = draw.node("LRN", [draw.value], size=size, alpha=draw.choice(1e-4, 0.1), beta=0.75, bias=draw.choice(1.0, 2.0))


def activation(draw):
    operator = draw.choice("Relu", "Relu", "Relu", "LeakyRelu", "PRelu", "Elu", "Sigmoid", "Tanh", "Clip", "HardSigmoid", "Swish", "Softplus", "HardSwish", "Gelu")
    names, attributes = [draw.value], {}
    if operator == "PRelu":
        names.append(draw.seeded(draw.shape[1], 1, 1, low=0, high=0.5))
    elif operator == "Clip":
        if draw.opset < 11:
            attributes = {"min": 0.0, "max": 0.6}
        else:
            names += [draw.constant(np.float32(0)), draw.constant(np.float32(0.6))]
    elif operator == "Swish":
        gate = draw.node("Sigmoid", names)
        draw.value = draw.node("Mul", [draw.value, gate])
        return
    elif operator == "HardSwish" and draw.opset < 14:
        gate = draw.node("HardSigmoid", names, alpha=1 / 6, beta=0.5)
        draw.value = draw.node("Mul", [draw.value, gate])
        return
    elif operator == "Gelu" and draw.opset < 20:
        if draw.opset < 9:
            operator = "Relu"
        else:
            inner = draw.node("Erf", [draw.node("Div", [draw.value, draw.constant(np.float32(2**0.5))])])
            half = draw.node("Mul", [draw.value, draw.node("Add", [inner, draw.constant(np.float32(1))])])
            draw.value = draw.node("Mul", [half, draw.constant(np.float32(0.5))])
            return
    elif operator == "Gelu":
        attributes = {"approximate": draw.choice("none", "tanh")}
    draw.value = draw.node(operator, names, **attributes)
