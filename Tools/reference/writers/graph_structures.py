"""The blocks of a random graph that join, gate, resize or rearrange the outputs of layers. Each adds itself to a `Draw`."""

import numpy as np

from writers.graph_layers import conv


def branches(draw):
    """Joins two or three branches of the same extents."""
    parts = [draw.value] if draw.chance(0.4) else []
    for _ in range(draw.random.randint(1, 2)):
        parts.append(same_extents(draw, draw.random.randint(1, 4)))
    draw.follow(draw.node("Concat", parts, axis=draw.choice(1, 1, -3)))


def same_extents(draw, outputs):
    """A branch that keeps height and width."""
    kernel = draw.choice(1, 3, 5)
    value, inputs = draw.value, draw.shape[1]
    if draw.chance(0.2):
        value = draw.node("MaxPool", [value], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    bound = (3 / (inputs * kernel * kernel)) ** 0.5
    weight = draw.seeded(outputs, inputs, kernel, kernel, low=-bound, high=bound)
    value = draw.node("Conv", [value, weight], pads=[kernel // 2] * 4)
    return draw.node("Relu", [value]) if draw.chance(0.5) else value


def residual(draw):
    names = [draw.value, same_extents(draw, draw.shape[1])]
    operator = draw.choice("Add", "Add", "Sum", "Sub", "Max", "Min")
    if operator == "Sum" and draw.chance(0.5):
        names.append(same_extents(draw, draw.shape[1]))
    draw.value = draw.node(operator, names)


def squeeze_and_excite(draw):
    channels = draw.shape[1]
    if draw.chance(0.5):
        mean = draw.node("GlobalAveragePool", [draw.value])
    elif draw.opset < 18:
        mean = draw.node("ReduceMean", [draw.value], axes=draw.choice([2, 3], [-1, -2]), keepdims=1)
    else:
        mean = draw.node("ReduceMean", [draw.value, draw.integers(draw.choice([2, 3], [-1, -2]))], keepdims=1)
    gate = draw.node("Conv", [mean, draw.seeded(channels, channels, 1, 1), draw.seeded(channels)])
    draw.value = draw.node("Mul", [draw.value, draw.node(draw.choice("Sigmoid", "HardSigmoid"), [gate])])


def pad(draw):
    amounts = [0, 0, draw.choice(0, 1, 2), draw.choice(0, 1), 0, 0, draw.choice(0, 1), draw.choice(0, 2)]
    mode = draw.choice("constant", "constant", "reflect", "edge")
    if draw.opset < 11:
        draw.follow(draw.node("Pad", [draw.value], pads=amounts, mode=mode))
    else:
        draw.follow(draw.node("Pad", [draw.value, draw.integers(amounts)], mode=mode))


def resize(draw):
    scales = np.array([1, 1, draw.choice(1, 2), draw.choice(2, 2, 3)], np.float32)
    mode = draw.choice("nearest", "linear")
    if draw.opset < 9:
        draw.follow(draw.node("Upsample", [draw.value], scales=scales.tolist(), mode=mode))
    elif draw.opset < 11:
        draw.follow(draw.node("Upsample" if draw.opset == 9 else "Resize", [draw.value, draw.constant(scales)], mode=mode))
    else:
        frame = draw.choice("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
        rounding = {"nearest_mode": draw.choice("floor", "round_prefer_floor")} if mode == "nearest" else {}
        names = [draw.value, draw.constant(np.zeros(0, np.float32))]
        if draw.chance(0.5):
            names.append(draw.constant(scales))
        else:
            sizes = [*draw.shape[:2], draw.shape[2] + draw.random.randint(0, 5), draw.shape[3] + draw.random.randint(1, 6)]
            names += [draw.constant(np.zeros(0, np.float32)), draw.integers(sizes)]
        draw.follow(draw.node("Resize", names, mode=mode, coordinate_transformation_mode=frame, **rounding))


def shuffle(draw):
    batch, channels, height, width = draw.shape
    groups = draw.random.choice([n for n in range(1, channels + 1) if channels % n == 0])
    split = draw.node("Reshape", [draw.value, draw.integers([batch, groups, channels // groups, height, width])])
    order = draw.node("Transpose", [split], perm=[0, 2, 1, 3, 4])
    draw.value = draw.node("Reshape", [order, draw.integers([0, -1, height, width])])


def split(draw):
    """Swaps two parts of the channels, which are halves if possible."""
    channels = draw.shape[1]
    if channels < 2:
        return conv(draw)
    extents = [channels // 2, channels - channels // 2]
    if draw.opset < 13:
        halves = draw.node("Split", [draw.value], 2, axis=1, split=extents)
    else:
        halves = draw.node("Split", [draw.value, draw.integers(extents)], 2, axis=1)
    draw.value = draw.node("Concat", list(reversed(halves)), axis=1)


def crop(draw):
    starts, ends = [draw.choice(0, 1)], [draw.choice(-1, 1000)]
    axis = draw.choice(2, 3, -1)
    if draw.opset < 10:
        draw.follow(draw.node("Slice", [draw.value], starts=starts, ends=ends, axes=[axis]))
    else:
        names = [draw.integers(starts), draw.integers(ends), draw.integers([axis]), draw.integers([draw.choice(1, 1, 2)])]
        draw.follow(draw.node("Slice", [draw.value, *names]))


def nhwc(draw):
    """A detour over channels-last order."""
    turned = draw.node("Transpose", [draw.value], perm=[0, 2, 3, 1])
    turned = draw.node(draw.choice("Relu", "Tanh"), [draw.node("Add", [turned, draw.seeded(draw.shape[1])])])
    draw.value = draw.node("Transpose", [turned], perm=[0, 3, 1, 2])
