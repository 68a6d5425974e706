"""The single-operator models: a list of small cases, as data.

A constant given as a shape is seeded; a constant given as an array is used unchanged. The input is also seeded, with both signs.
"""

import numpy as np

CASES = {}


def integers(*values):
    return np.array(values, dtype=np.int64)


def positive(*shape):
    """A constant with values in [0.5, 1.5]."""
    return ("positive", shape)


def graph(name, opset, shape, nodes, constants=None, **options):
    """Adds a case of several nodes: (operator, inputs, outputs, attributes). It reads `x`, and its last output is `y`."""
    if name in CASES:
        raise ValueError(f"two cases are named {name}")
    CASES[name] = dict(opset=opset, shape=shape, nodes=nodes, constants=constants or {}, **options)


def single(name, opset, shape, operator, constants=None, **attributes):
    """Adds a case of one node, whose inputs are `x` followed by the constants."""
    constants = constants or {}
    graph(name, opset, shape, [(operator, ["x", *constants], ["y"], attributes)], constants)


def convolutions():
    def conv(name, opset, shape, weight, bias=True, **attributes):
        constants = {"w": weight, "b": weight[:1]} if bias else {"w": weight}
        single(f"conv-{name}", opset, shape, "Conv", constants, **attributes)

    conv("3x3", 7, (1, 3, 8, 9), (4, 3, 3, 3), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    conv("no-bias", 8, (1, 3, 8, 8), (4, 3, 3, 3), bias=False)
    conv("strides", 9, (1, 2, 11, 13), (3, 2, 3, 3), strides=[2, 3], pads=[1, 1, 1, 1])
    conv("dilations", 10, (1, 2, 12, 11), (3, 2, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3])
    conv("asymmetric-pads", 11, (1, 2, 7, 8), (3, 2, 3, 2), pads=[0, 1, 2, 3])
    conv("groups", 12, (1, 6, 6, 6), (4, 3, 3, 3), group=2, pads=[1, 1, 1, 1])
    conv("depthwise", 13, (1, 4, 7, 7), (4, 1, 3, 3), group=4, pads=[1, 1, 1, 1])
    conv("depthwise-multiplier", 14, (1, 3, 7, 7), (6, 1, 3, 3), group=3, strides=[2, 2], bias=False)
    conv("same-upper", 15, (1, 2, 7, 8), (3, 2, 4, 3), auto_pad="SAME_UPPER", strides=[2, 2])
    conv("same-lower", 16, (1, 2, 7, 8), (3, 2, 4, 3), auto_pad="SAME_LOWER", strides=[2, 2])
    conv("valid", 17, (1, 2, 7, 8), (3, 2, 3, 3), auto_pad="VALID", strides=[2, 1])
    conv("1x1", 18, (1, 5, 6, 7), (4, 5, 1, 1), kernel_shape=[1, 1])
    conv("1x1-strided", 19, (1, 5, 7, 8), (4, 5, 1, 1), strides=[2, 2], bias=False)
    conv("batch-2", 20, (2, 3, 9, 9), (4, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    conv("7x7-strided", 21, (1, 3, 23, 22), (8, 3, 7, 7), strides=[2, 2], pads=[3, 3, 3, 3])
    conv("one-row-kernel", 22, (1, 3, 6, 9), (4, 3, 1, 5), pads=[0, 2, 0, 2])
    conv("3x3-wide", 13, (2, 16, 19, 21), (24, 16, 3, 3), pads=[1, 1, 1, 1])


def pools():
    def maximum(name, opset, shape, **attributes):
        single(f"maxpool-{name}", opset, shape, "MaxPool", **attributes)

    def average(name, opset, shape, **attributes):
        single(f"averagepool-{name}", opset, shape, "AveragePool", **attributes)

    maximum("2x2", 7, (1, 3, 8, 9), kernel_shape=[2, 2], strides=[2, 2])
    maximum("overlapping", 8, (2, 2, 9, 11), kernel_shape=[3, 3], strides=[2, 2])
    maximum("ceil", 10, (1, 2, 8, 10), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    maximum("ceil-pads", 11, (1, 2, 7, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)
    maximum("pads", 12, (1, 2, 7, 8), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    maximum("asymmetric-pads", 13, (1, 2, 7, 8), kernel_shape=[3, 2], strides=[2, 2], pads=[0, 1, 2, 0])
    maximum("dilations", 14, (1, 2, 9, 9), kernel_shape=[3, 2], dilations=[2, 3])
    maximum("same-upper", 15, (1, 2, 7, 8), kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    maximum("same-lower", 16, (1, 2, 7, 8), kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_LOWER")
    maximum("valid", 17, (1, 2, 7, 8), kernel_shape=[2, 3], strides=[2, 2], auto_pad="VALID")
    average("2x2", 7, (1, 3, 8, 9), kernel_shape=[2, 2], strides=[2, 2])
    average("pads-excluded", 9, (1, 2, 7, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    average("pads-included", 11, (1, 2, 7, 8), kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    average("ceil", 19, (1, 2, 8, 10), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    average(
        "ceil-pads-included", 20, (1, 2, 7, 8), kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0], ceil_mode=1,
        count_include_pad=1,
    )
    average("dilations", 21, (1, 2, 9, 9), kernel_shape=[3, 2], dilations=[2, 3])
    average("same-upper", 22, (1, 2, 7, 8), kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    single("globalaveragepool", 7, (2, 4, 5, 6), "GlobalAveragePool")
    single("globalmaxpool", 22, (2, 4, 5, 6), "GlobalMaxPool")
    for keep in (0, 1):
        single(f"reducemean-attribute-keep-{keep}", 13, (1, 4, 5, 6), "ReduceMean", axes=[2, 3], keepdims=keep)
        single(f"reducemean-input-keep-{keep}", 18, (1, 4, 5, 6), "ReduceMean", {"axes": integers(-1, -2)}, keepdims=keep)
    single("reducemean-channels", 11, (2, 4, 5, 6), "ReduceMean", axes=[1], keepdims=1)
    single("reducemean-one-axis", 18, (1, 4, 5, 6), "ReduceMean", {"axes": integers(-2)}, keepdims=0)
    single("reducemean-all", 13, (1, 4, 5, 6), "ReduceMean", keepdims=1)


def products():
    def gemm(name, opset, shape, constants, **attributes):
        single(f"gemm-{name}", opset, shape, "Gemm", constants, **attributes)

    gemm("transposed-weights", 7, (2, 6), {"w": (5, 6), "c": (5,)}, transB=1)
    gemm("plain", 9, (1, 6), {"w": (6, 5), "c": (5,)})
    gemm("no-c", 11, (3, 6), {"w": (6, 5)})
    gemm("alpha-beta", 13, (2, 6), {"w": (5, 6), "c": (5,)}, transB=1, alpha=0.75, beta=-1.5)
    gemm("transposed-input", 14, (6, 2), {"w": (6, 5), "c": (1, 5)}, transA=1)
    gemm("scalar-c", 20, (2, 6), {"w": (6, 5), "c": ()}, beta=0.5)
    nodes = [("MatMul", ["x", "w"], ["m"], {}), ("Add", ["m", "b"], ["y"], {})]
    graph("matmul-add", 9, (2, 6), nodes, {"w": (6, 5), "b": (5,)})
    swapped = [("MatMul", ["x", "w"], ["m"], {}), ("Add", ["b", "m"], ["y"], {})]
    graph("matmul-add-constant-first", 14, (1, 6), swapped, {"w": (6, 5), "b": (1, 5)})
    single("matmul", 13, (2, 6), "MatMul", {"w": (6, 5)})


def arithmetic():
    two = [("Relu", ["x"], ["a"], {}), ("Neg", ["x"], ["b"], {})]
    live = [("Relu", ["x"], ["a"], {}), ("Sigmoid", ["x"], ["b"], {})]
    shape = (2, 3, 4, 5)
    graph("add-two-branches", 7, shape, [*live, ("Add", ["a", "b"], ["y"], {})])
    graph("add-self", 13, shape, [("Add", ["x", "x"], ["y"], {})])
    single("add-constant-per-channel", 8, shape, "Add", {"c": (3, 1, 1)})
    single("add-constant-scalar", 14, shape, "Add", {"c": ()})
    graph("mul-two-branches", 9, shape, [*live, ("Mul", ["a", "b"], ["y"], {})])
    single("mul-constant-per-channel", 10, shape, "Mul", {"c": (1, 3, 1, 1)})
    graph("mul-constant-first", 13, shape, [("Mul", ["c", "x"], ["y"], {})], {"c": (3, 1, 1)})
    graph("sub-two-branches", 13, shape, [*live, ("Sub", ["a", "b"], ["y"], {})])
    single("sub-constant", 7, shape, "Sub", {"c": (1, 3, 1, 1)})
    single("div-constant", 14, shape, "Div", {"c": positive(1, 3, 1, 1)})
    graph("sum-three", 13, shape, [*live, ("Sum", ["a", "x", "b"], ["y"], {})])
    graph("add-canceling-branches", 14, shape, [*two, ("Add", ["a", "b"], ["y"], {})])
    for name, opset in (("first", 8), ("later", 15)):
        statistics = {"scale": positive(3), "bias": (3,), "mean": (3,), "variance": positive(3)}
        single(f"batchnormalization-{name}", opset, shape, "BatchNormalization", statistics, epsilon=1e-3)
    channels = (1, 7, 4, 5)
    single("lrn", 7, channels, "LRN", size=5, alpha=0.5, beta=0.75, bias=1.0)
    single("lrn-size-3", 13, channels, "LRN", size=3, alpha=0.3, beta=0.5, bias=2.0)
    for opset in (7, 11):
        single(f"softmax-coerced-{opset}", opset, (2, 3, 4), "Softmax", **({} if opset == 7 else {"axis": 1}))
    single("softmax-13", 13, (2, 3, 4), "Softmax", axis=1)
    single("softmax-13-default-axis", 13, (2, 3, 4), "Softmax")
    single("logsoftmax-coerced", 9, (2, 5), "LogSoftmax", axis=1)
    single("logsoftmax-13", 13, (2, 3, 4), "LogSoftmax", axis=-1)


def shapes():
    shape = (2, 3, 4, 5)
    branches = [("Relu", ["x"], ["a"], {}), ("Sigmoid", ["x"], ["b"], {})]
    graph("concat-channels", 7, shape, [*branches, ("Concat", ["a", "x", "b"], ["y"], {"axis": 1})])
    graph("concat-negative-axis", 13, shape, [*branches, ("Concat", ["b", "a"], ["y"], {"axis": -2})])
    single("flatten", 7, shape, "Flatten")
    single("flatten-axis-2", 9, shape, "Flatten", axis=2)
    single("flatten-negative-axis", 13, shape, "Flatten", axis=-1)
    single("reshape-zero-minus-one", 7, shape, "Reshape", {"to": integers(0, -1)})
    single("reshape-later", 14, shape, "Reshape", {"to": integers(2, 0, -1)}, allowzero=0)
    single("transpose-nhwc", 7, shape, "Transpose", perm=[0, 2, 3, 1])
    single("transpose-default", 13, shape, "Transpose")
    single("squeeze-attribute", 11, (2, 3, 1, 1), "Squeeze", axes=[2, 3])
    single("squeeze-input", 13, (2, 3, 1, 1), "Squeeze", {"axes": integers(-1, -2)})
    single("squeeze-all", 13, (2, 3, 1, 1), "Squeeze")
    single("unsqueeze-attribute", 11, (2, 3), "Unsqueeze", axes=[2, 3])
    single("unsqueeze-input", 13, (2, 3), "Unsqueeze", {"axes": integers(0, -1)})
    single("dropout-first", 7, shape, "Dropout", ratio=0.4)
    graph("dropout-later", 13, shape, [("Dropout", ["x", "ratio"], ["y"], {})], {"ratio": np.float32(0.4)})
    single("identity", 14, shape, "Identity")
    single("identity-newest", 25, shape, "Identity")
    single("relu-newest", 26, shape, "Relu")
    shared = [("Identity", ["w"], ["v"], {}), ("MatMul", ["x", "v"], ["y"], {})]
    graph("identity-shared-weight", 13, (2, 6), shared, {"w": (6, 4)})
    constant = [("Constant", [], ["c"], {"value": ("tensor", (1, 3, 1, 1))}), ("Add", ["x", "c"], ["y"], {})]
    graph("constant-tensor", 9, shape, constant)
    values = [("Constant", [], ["c"], {"value_floats": [0.5, -1.5, 2.5, 1.0, -0.25]}), ("Mul", ["x", "c"], ["y"], {})]
    graph("constant-floats", 12, shape, values)
    static = [
        ("Shape", ["x"], ["s"], {}),
        ("Gather", ["s", "zero"], ["n"], {"axis": 0}),
        ("Unsqueeze", ["n", "zero"], ["m"], {}),
        ("Concat", ["m", "rest"], ["to"], {"axis": 0}),
        ("Reshape", ["x", "to"], ["y"], {}),
    ]
    graph("reshape-computed", 13, shape, static, {"zero": np.int64(0), "rest": integers(-1)}, symbolic=True)
    graph("flatten-symbolic-batch", 13, shape, [("Flatten", ["x"], ["y"], {"axis": 1})], symbolic=True)


def branches():
    """If nodes whose condition does not depend on the image: it is constant, or depends on fixed extents."""
    squeezed = ("graph", [("Squeeze", ["p", "space"], ["a"], {})], "a", (2, 3))
    same = ("graph", [("Identity", ["p"], ["b"], {})], "b", (2, 3, 1, 1))
    pooled = ("GlobalAveragePool", ["x"], ["p"], {})
    constants = {"space": integers(2, 3), "two": np.int64(2), "one": np.int64(1)}
    computed = [
        pooled,
        ("Shape", ["p"], ["s"], {}),
        ("Gather", ["s", "two"], ["height"], {}),
        ("Equal", ["height", "one"], ["is_one"], {}),
        ("If", ["is_one"], ["q"], {"then_branch": squeezed, "else_branch": same}),
        ("Relu", ["q"], ["y"], {}),
    ]
    graph("if-computed", 17, (2, 3, 4, 5), computed, constants, symbolic=True)
    fixed = [pooled, ("If", ["never"], ["y"], {"then_branch": squeezed, "else_branch": same})]
    graph("if-constant", 13, (2, 3, 4, 5), fixed, {"space": integers(2, 3), "never": np.bool_(False)})


def later():
    """All cases. Their seeds depend on their position: append new ones at the end."""
    single("mish", 18, (1, 3, 4, 5), "Mish")
    single("selu", 7, (1, 3, 4, 5), "Selu")
    single("selu-parameters", 22, (1, 3, 4, 5), "Selu", alpha=1.2, gamma=0.8)
    per_channel = {"scale": positive(6), "b": (6,)}
    for opset in [7, 22]:
        single(f"instance-normalization-{opset}", opset, (2, 6, 4, 5), "InstanceNormalization", per_channel, epsilon=1e-3)
    single("instance-normalization-sequence", 13, (2, 6, 7), "InstanceNormalization", per_channel)
    single("group-normalization", 21, (2, 6, 4, 5), "GroupNormalization", per_channel, num_groups=3, epsilon=1e-3)
    single("depth-to-space", 7, (2, 12, 3, 2), "DepthToSpace", blocksize=2)
    single("depth-to-space-columns", 13, (2, 12, 3, 2), "DepthToSpace", blocksize=2, mode="CRD")
    single("space-to-depth", 13, (2, 3, 6, 4), "SpaceToDepth", blocksize=2)
    for name, equation, shape, weights in [
        ("layer", "bnd,de->bne", (2, 3, 5), (5, 4)),
        ("channels", "oc,bchw->bohw", (2, 3, 4, 5), (6, 3)),
        ("two", "bchw,cwk->bhk", (2, 3, 4, 5), (3, 5, 2)),
        ("split", "bd,hkd->bhk", (2, 6), (2, 3, 6)),
        ("summed", "bcx,cd", (2, 3, 4), (3, 5)),
        ("score", "bd,d->b", (2, 6), (6,)),
    ]:
        inputs = ["w", "x"] if equation.startswith("oc") else ["x", "w"]
        graph(f"einsum-{name}", 13, shape, [("Einsum", inputs, ["y"], {"equation": equation})], {"w": weights})
    single("einsum-alone", 12, (2, 3, 4, 5), "Einsum", equation="b c h w -> b w c")


for family in (convolutions, pools, products, arithmetic, shapes, branches, later):
    family()
