"""More single-operator models, which follow those of operator_cases. Their seeds depend on their position: append new ones at the end."""

import numpy as np

from writers.operator_cases import CASES, graph, integers, single

__all__ = ["CASES"]


def products_and_functions():
    """Products with a constant on either side, elementwise functions, and operators that are expressed by others."""
    for name, inputs, shape, weights in [
        ("left", ["w", "x"], (2, 3, 5, 4), (6, 5)),
        ("left-row", ["w", "x"], (2, 5, 4), (5,)),
        ("left-list", ["w", "x"], (5,), (6, 5)),
        ("left-batch", ["w", "x"], (2, 3, 5, 4), (3, 6, 5)),
        ("left-lists", ["w", "x"], (5,), (3, 6, 5)),
        ("right-list", ["x", "w"], (2, 3, 5), (5,)),
        ("right-batch", ["x", "w"], (2, 3, 4, 5), (3, 5, 6)),
        ("right-shared", ["x", "w"], (2, 4, 5), (1, 1, 5, 6)),
        ("right-broadcast", ["x", "w"], (4, 5), (2, 3, 5, 6)),
        ("right-inner", ["x", "w"], (2, 3, 4, 5), (2, 1, 5, 6)),
    ]:
        graph(f"matmul-{name}", 13, shape, [("MatMul", inputs, ["y"], {})], {"w": weights})
    for name, inputs, weights, c, attributes in [
        ("left", ["w", "x", "c"], (3, 5), (3, 4), {"alpha": 0.5, "beta": 2.0}),
        ("left-turned", ["w", "x"], (4, 3), None, {"transA": 1, "transB": 1}),
        ("left-column", ["w", "x", "c"], (4, 3), (3, 1), {"transA": 1, "transB": 1}),
        ("operand-turned", ["x", "w", "c"], (5, 3), (3,), {"transA": 1}),
        ("rows", ["x", "w", "c"], (3, 4), (5, 3), {"transB": 1, "beta": 0.5}),
    ]:
        constants = {"w": weights} | ({"c": c} if c else {})
        graph(f"gemm-{name}", 13, (5, 4), [("Gemm", inputs, ["y"], attributes)], constants)

    shape = (1, 3, 4, 5)
    single("mean", 13, shape, "Mean", {"a": (3, 1, 1), "b": (4, 5)})
    for operator in ["ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"]:
        single(f"{operator.lower()}-attribute", 13, shape, operator, axes=[1, -1], keepdims=0)
        single(f"{operator.lower()}-input", 18, shape, operator, {"axes": integers(2)})
    single("reducel2-all", 18, shape, "ReduceL2")
    single("reducelogsumexp-large", 18, (2, 3), "ReduceLogSumExp", {"axes": integers(-1)}, keepdims=0)
    graph("reducelogsum", 13, shape, [("Abs", ["x"], ["a"], {}), ("ReduceLogSum", ["a"], ["y"], {"axes": [1]})])
    single("reducesumsquare-none", 18, shape, "ReduceSumSquare", noop_with_empty_axes=1)

    for operator in ["Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh", "Sign", "Softsign"]:
        single(f"function-{operator.lower()}", 22 if operator != "Sign" else 13, shape, operator)
    for operator in ["Asin", "Acos", "Atanh"]:
        graph(f"function-{operator.lower()}", 13, shape, [("Tanh", ["x"], ["t"], {}), (operator, ["t"], ["y"], {})])
    graph("function-acosh", 13, shape, [("Exp", ["x"], ["e"], {}), ("Add", ["e", "one"], ["a"], {}),
          ("Acosh", ["a"], ["y"], {})], {"one": np.float32(1)})
    single("celu", 12, shape, "Celu", alpha=0.6)
    single("shrink", 9, shape, "Shrink", bias=0.3, lambd=0.7)
    single("shrink-default", 9, shape, "Shrink")
    single("thresholded-relu", 10, shape, "ThresholdedRelu", alpha=0.4)
    checked = [("Log", ["x"], ["l"], {}), ("IsNaN", ["l"], ["n"], {}), ("Cast", ["n"], ["y"], {"to": 1})]
    graph("is-nan", 13, shape, checked)
    checked = [("Div", ["x", "zero"], ["q"], {}), ("IsInf", ["q"], ["n"], {"detect_negative": 0}),
               ("Cast", ["n"], ["y"], {"to": 1})]
    graph("is-inf", 13, shape, checked, {"zero": np.float32(0)})
    single("mod-float", 13, shape, "Mod", {"b": np.float32(0.3)}, fmod=1)
    whole = [("Mul", ["x", "ten"], ["m"], {}), ("Cast", ["m"], ["i"], {"to": 6}), ("Mod", ["i", "three"], ["r"], {}),
             ("Cast", ["r"], ["y"], {"to": 1})]
    graph("mod-integers", 13, shape, whole, {"ten": np.float32(10), "three": np.int32(-3)})


def places():
    """Elements selected, set and repeated at constant positions; shapes and constants computed from them."""
    shape = (2, 3, 4)
    truth = {"c": np.array([True, False, True])}
    single("tile", 13, shape, "Tile", {"repeats": integers(1, 2, 3)})
    single("trilu-lower", 14, shape, "Trilu", {"k": np.int64(1)}, upper=0)
    single("trilu-upper", 14, shape, "Trilu")
    single("compress-axis", 11, shape, "Compress", truth, axis=1)
    single("compress-all", 11, shape, "Compress", truth)
    single("gather-elements", 13, shape, "GatherElements", {"i": np.array([[[0, -1], [2, 1]]])}, axis=2)
    single("gather-nd", 13, shape, "GatherND", {"i": np.array([[[0, 1]], [[1, -1]]])})
    single("gather-nd-batch", 13, shape, "GatherND", {"i": np.array([[[0], [2]], [[-1], [1]]])}, batch_dims=1)
    single("reverse-sequence", 10, shape, "ReverseSequence", {"n": integers(3, 2)}, batch_axis=0, time_axis=1)
    single("cumsum", 14, shape, "CumSum", {"axis": np.int64(1)})
    single("cumsum-reverse", 14, shape, "CumSum", {"axis": np.int64(-1)}, exclusive=1, reverse=1)
    elements = {"i": np.array([[[0, 3, 1], [2, 0, 2]]]), "u": (1, 2, 3)}
    for name, opset, reduction in [("none", 13, None), ("add", 16, "add")]:
        attributes = {"reduction": reduction} if reduction else {}
        single(f"scatter-elements-{name}", opset, shape, "ScatterElements", elements, axis=-1, **attributes)
    single("scatter-elements-max", 18, shape, "ScatterElements",
           {"i": np.array([[[0, 3, 1]]]), "u": (1, 1, 3)}, axis=-1, reduction="max")
    parts = {"i": np.array([[0, 1], [1, 2]]), "u": (2, 4)}
    for reduction in ["none", "add", "mul", "min"]:
        attributes = {} if reduction == "none" else {"reduction": reduction}
        single(f"scatter-nd-{reduction}", 18, shape, "ScatterND", parts, **attributes)
    moved = [("Slice", ["x", "zero", "one"], ["s"], {}), ("Squeeze", ["s", "zero"], ["u"], {}),
             ("ScatterND", ["w", "i", "u"], ["y"], {})]
    constants = {"zero": integers(0), "one": integers(1), "w": (5, 4), "i": np.array([[4], [0], [2]])}
    graph("scatter-nd-updates", 16, shape, moved, constants)
    counted = [("Size", ["x"], ["n"], {}), ("Cast", ["n"], ["f"], {"to": 1}), ("Div", ["x", "f"], ["y"], {})]
    graph("size", 13, shape, counted)
    eye = [("EyeLike", ["x"], ["e"], {"k": 1}), ("Mul", ["x", "e"], ["y"], {})]
    graph("eye-like", 9, (3, 4), eye)
    hot = [("OneHot", ["i", "depth", "values"], ["h"], {"axis": 0}), ("Mul", ["x", "h"], ["y"], {})]
    graph("one-hot", 11, (3, 4), hot, {"i": integers(2, -1, 0, 5), "depth": np.int64(3), "values": np.float32([0.5, 2])})
    found = [("Xor", ["a", "b"], ["c"], {}), ("NonZero", ["c"], ["n"], {}), ("Reshape", ["n", "flat"], ["i"], {}),
             ("Gather", ["x", "i"], ["y"], {"axis": 1})]
    graph("non-zero", 13, shape, found, {"a": np.array([True, True, False]), "b": np.array([True, False, True]),
                                         "flat": integers(-1)})


def norms():
    """Norms, means over separate axes, transposed convolutions with given extents, and experimental operators of ONNX."""
    shape = (1, 3, 6, 5)
    single("lp-normalization", 22, shape, "LpNormalization", axis=1)
    single("lp-normalization-one", 13, shape, "LpNormalization", p=1)
    single("mean-variance", 9, shape, "MeanVarianceNormalization")
    single("mean-variance-axes", 9, (2, 3, 6, 5), "MeanVarianceNormalization", axes=[1, 3])
    single("reducemean-apart", 13, (2, 3, 6, 5), "ReduceMean", axes=[0, 2], keepdims=0)
    single("lp-pool", 11, shape, "LpPool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 0, 1])
    single("lp-pool-three", 11, shape, "LpPool", kernel_shape=[2, 2], p=3, auto_pad="SAME_UPPER")
    single("global-lp-pool", 13, shape, "GlobalLpPool", p=1)
    single("hardmax", 13, shape, "Hardmax", axis=1)
    single("hardmax-joined", 11, shape, "Hardmax", axis=2)
    for name, extents, attributes in [
        ("lower", [11, 10], {}),
        ("upper", [11, 10], {"auto_pad": "SAME_UPPER"}),
    ]:
        single(f"convtranspose-extents-{name}", 11, shape, "ConvTranspose", {"w": (3, 2, 3, 2), "b": (2,)},
               output_shape=extents, strides=[2, 2], **attributes)


def volumes():
    """Convolutions and pooling over three axes."""
    shape = (1, 4, 5, 6, 7)
    pads = [1, 0, 1, 1, 1, 0]
    single("averagepool-volume", 11, shape, "AveragePool", kernel_shape=[3, 2, 3], strides=[2, 1, 2], pads=pads)
    single("averagepool-volume-ceil", 19, (2, 3, 5, 6, 7), "AveragePool", kernel_shape=[2, 3, 2], strides=[2, 2, 2],
           ceil_mode=1, count_include_pad=1, pads=[0, 1, 0, 0, 1, 0])
    single("averagepool-depth", 13, shape, "AveragePool", kernel_shape=[3, 1, 1], strides=[1, 1, 1])
    single("maxpool-volume", 12, shape, "MaxPool", kernel_shape=[2, 3, 2], strides=[1, 2, 2], auto_pad="SAME_UPPER")
    weights = {"w": (6, 2, 3, 2, 3), "b": (6,)}
    single("conv-volume", 11, shape, "Conv", weights, group=2, strides=[2, 1, 2], pads=pads, dilations=[1, 2, 1])
    single("conv-volume-plain", 13, (2, 4, 5, 6, 7), "Conv", {"w": (3, 4, 2, 3, 3)}, dilations=[2, 1, 1])
    local = [("Mul", ["x", "x"], ["s"], {}), ("Unsqueeze", ["s", "one"], ["u"], {}),
             ("Pad", ["u", "pads"], ["p"], {}),
             ("AveragePool", ["p"], ["a"], {"kernel_shape": [3, 1, 1], "strides": [1, 1, 1]}),
             ("Squeeze", ["a", "one"], ["n"], {}), ("Div", ["x", "n"], ["y"], {})]
    graph("lrn-exported", 13, (1, 5, 4, 3), local, {"one": integers(1), "pads": integers(0, 0, 1, 0, 0, 0, 0, 1, 0, 0)})


def cubic():
    """Cubic interpolation."""
    shape = (1, 2, 5, 6)
    for name, attributes in [
        ("default", {}),
        ("coefficient", {"cubic_coeff_a": -0.5, "coordinate_transformation_mode": "align_corners"}),
        ("outside", {"exclude_outside": 1, "coordinate_transformation_mode": "asymmetric"}),
    ]:
        for factor in [1.7, 0.6]:
            nodes = [("Resize", ["x", "", "s"], ["y"], {"mode": "cubic"} | attributes)]
            direction = "up" if factor > 1 else "down"
            graph(f"resize-cubic-{name}-{direction}", 13, shape, nodes, {"s": np.float32([1, 1, factor, factor])})


def partial():
    """Pooling windows that are larger than the input; ceiling mode includes partly covered windows."""
    shape, large = (1, 3, 4, 5), {"kernel_shape": [9, 7], "strides": [9, 7], "ceil_mode": 1}
    single("averagepool-larger", 11, shape, "AveragePool", **large)
    single("averagepool-larger-included", 19, shape, "AveragePool", count_include_pad=1, **large)
    single("averagepool-larger-pads", 19, shape, "AveragePool", count_include_pad=1, pads=[1, 0, 0, 1], **large)
    single("maxpool-larger", 12, shape, "MaxPool", **large)
    # PyTorch's view of a batch with open size: only shape arithmetic determines the number of axes.
    viewed = [("Relu", ["x"], ["r"], {}), ("Shape", ["r"], ["s"], {}), ("Gather", ["s", "zero"], ["n"], {}),
              ("Concat", ["n", "rest"], ["t"], {"axis": 0}), ("Reshape", ["r", "t"], ["v"], {}),
              ("GlobalAveragePool", ["v"], ["y"], {})]
    graph("globalaveragepool-viewed", 13, shape, viewed, {"zero": integers(0), "rest": integers(3, 2, 2, 5)}, symbolic=True)


for family in (products_and_functions, places, norms, volumes, cubic, partial):
    family()
