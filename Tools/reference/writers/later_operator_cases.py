"""More single-operator models, behind those of operator_cases, by whose number they are seeded: new ones come last."""

import numpy as np

from writers.operator_cases import CASES, graph, integers, single

__all__ = ["CASES"]


def products_and_functions():
    """Constants on either side of a product, functions of elements, and what is expressed by other operators."""
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
    """Elements picked, put and repeated at places that constants say; shapes and constants made of them."""
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
    """Norms, means over axes apart, transposed convolutions to given extents, and what ONNX had as experiments."""
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
    """Convolutions and pools over three axes."""
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


def decisions():
    """What depends on comparisons, truth values and places of extremes in the image."""
    shape = (2, 3, 4, 5)
    real = ("Cast", ["d"], ["f"], {"to": 1})
    for operator in ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"]:
        nodes = [("Round", ["x"], ["r"], {}), (operator, ["r", "c"], ["d"], {}), real, ("Mul", ["x", "f"], ["y"], {})]
        graph(f"live-{operator.lower()}", 16, shape, nodes, {"c": np.float32([[-1], [0], [1], [0]])})
    two = [("Less", ["x", "c"], ["a"], {}), ("Cast", ["x2"], ["b"], {"to": 9})]
    for operator in ["And", "Or", "Xor"]:
        nodes = [("Round", ["x"], ["x2"], {}), *two, (operator, ["a", "b"], ["d"], {}), ("Not", ["d"], ["n"], {}),
                 ("Where", ["n", "x", "x2"], ["y"], {})]
        graph(f"live-{operator.lower()}", 16, shape, nodes, {"c": (3, 1, 1)})
    nodes = [("Greater", ["x", "c"], ["d"], {}), ("Where", ["d", "low", "x"], ["y"], {})]
    graph("where-constant", 16, shape, nodes, {"c": (4, 1), "low": np.float32(-100)})
    nodes = [("ReduceMean", ["x"], ["m"], {"axes": [1]}), ("Greater", ["x", "m"], ["d"], {}),
             ("Where", ["d", "m", "w"], ["y"], {})]
    graph("where-broadcast", 16, shape, nodes, {"w": (3, 4, 1)})
    nodes = [("Where", ["d", "x", "low"], ["y"], {})]
    graph("where-masked", 16, shape, nodes, {"d": np.array([True, False, True, True, False]), "low": np.float32(-9)})
    for name, opset, attributes in [("first", 11, {"axis": 1}), ("last", 13, {"axis": -1, "select_last_index": 1}),
                                    ("dropped", 11, {"axis": 2, "keepdims": 0})]:
        for operator in ["ArgMax", "ArgMin"]:
            nodes = [("Round", ["x"], ["r"], {}), (operator, ["r"], ["d"], attributes), real, ("Neg", ["f"], ["y"], {})]
            graph(f"inner-{operator.lower()}-{name}", opset, shape, nodes)
    for name, opset, attributes in [("attribute", 9, {"k": 3, "axis": 1}), ("smallest", 11, {"axis": 2, "largest": 0}),
                                    ("last", 24, {})]:
        nodes = [("TopK", ["x"] + ([] if opset < 10 else ["k"]), ["v", "i"], attributes), ("Neg", ["v"], ["y"], {})]
        graph(f"top-{name}", opset, shape, nodes, {} if opset < 10 else {"k": integers(2)})
    nodes = [("TopK", ["x", "k"], ["v", "i"], {"axis": -2}), ("Cast", ["i"], ["f"], {"to": 1}),
             ("Add", ["f", "v"], ["y"], {})]
    graph("top-places", 11, shape, nodes, {"k": integers(4)})
    nodes = [("ArgMax", ["x"], ["d"], {"axis": 1, "keepdims": 0}), ("OneHot", ["d", "n", "v"], ["h"], {"axis": 1}),
             ("Mul", ["x", "h"], ["y"], {})]
    graph("live-one-hot", 13, shape, nodes, {"n": np.int64(3), "v": np.float32([0, 1])})


def grids():
    """Values at positions: of a constant grid, and of one that the image makes; a spatial transformer."""
    random = np.random.default_rng(5)
    fixed = (random.random((2, 4, 3, 2)) * 3 - 1.5).astype(np.float32)
    for mode in ["bilinear", "nearest", "bicubic"]:
        for padding in ["zeros", "border", "reflection"]:
            for align in (0, 1):
                single(f"gridsample-{mode}-{padding}-{align}", 16, (2, 3, 5, 4), "GridSample", {"g": fixed}, mode=mode,
                       padding_mode=padding, align_corners=align)
    volume = (random.random((1, 2, 3, 2, 3)) * 3 - 1.5).astype(np.float32)
    for mode, padding in [("linear", "reflection"), ("nearest", "zeros")]:
        single(f"gridsample-volume-{mode}", 20, (1, 2, 3, 4, 5), "GridSample", {"g": volume}, mode=mode,
               padding_mode=padding)
    nodes = [("Conv", ["x", "w"], ["c"], {}), ("Transpose", ["c"], ["t"], {"perm": [0, 2, 3, 1]}),
             ("Tanh", ["t"], ["g"], {}), ("GridSample", ["x", "g"], ["y"], {"mode": "linear"})]
    graph("gridsample-live", 20, (2, 3, 4, 5), nodes, {"w": (2, 3, 1, 1)})
    for align in (0, 1):
        nodes = [("GlobalAveragePool", ["x"], ["p"], {}), ("Flatten", ["p"], ["f"], {}),
                 ("Gemm", ["f", "w"], ["l"], {}), ("Reshape", ["l", "to"], ["m"], {}),
                 ("AffineGrid", ["m", "size"], ["g"], {"align_corners": align}),
                 ("GridSample", ["x", "g"], ["y"], {"align_corners": align})]
        graph(f"spatial-transformer-{align}", 20, (2, 3, 5, 4), nodes,
              {"w": (3, 6), "to": integers(0, 2, 3), "size": integers(2, 3, 4, 3)})


def resizing():
    """Sizes by smoothing filters, of parts, and with neighbors outside left out."""
    shape = (1, 2, 7, 6)
    for mode in ["linear", "cubic"]:
        for outside in (0, 1):
            for direction, factors in [("down", [1, 1, 0.43, 0.6]), ("up", [1, 1, 1.4, 2])]:
                nodes = [("Resize", ["x", "", "s"], ["y"], {"mode": mode, "antialias": 1, "exclude_outside": outside})]
                graph(f"resize-antialias-{mode}-{direction}-{outside}", 18, shape, nodes, {"s": np.float32(factors)})
    for policy in ["not_larger", "not_smaller"]:
        nodes = [("Resize", ["x", "", "", "n"], ["y"], {"mode": "linear", "axes": [3, 2], "antialias": 1,
                                                        "keep_aspect_ratio_policy": policy})]
        graph(f"resize-{policy}", 19, shape, nodes, {"n": integers(4, 3)})
    roi = np.float32([0, 0, 0.2, -0.1, 1, 1, 0.9, 0.8])
    for mode in ["nearest", "linear", "cubic"]:
        attributes = {"mode": mode, "coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 7.0}
        nodes = [("Resize", ["x", "r", "", "n"], ["y"], attributes)]
        graph(f"resize-crop-{mode}", 13, shape, nodes, {"r": roi, "n": integers(1, 2, 5, 4)})
    attributes = {"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize"}
    graph("resize-crop-scales", 13, shape, [("Resize", ["x", "r", "s"], ["y"], attributes)],
          {"r": roi, "s": np.float32([1, 1, 1.5, 1])})


def sums_of_products():
    """Einsum with ellipses, diagonals, sums, labels that the constant shares and keeps, and several constants."""
    for number, (equation, shape, weights) in enumerate([
        ("...ik,kj->...ij", (2, 3, 4, 5), {"w": (5, 6)}),
        ("kj,...k->...j", (2, 3, 5), {"w": (5, 6)}),
        ("...j->...", (2, 3, 5), {}),
        ("b...", (2, 3, 5), {}),
        ("bii->bi", (2, 4, 4), {}),
        ("iij", (4, 4, 3), {}),
        ("bijij->bj", (2, 3, 4, 3, 4), {}),
        ("ij->", (3, 4), {}),
        ("bik,bkj->bij", (3, 4, 5), {"w": (3, 5, 6)}),
        ("nbik,bjk->nbij", (2, 3, 4, 5), {"w": (3, 6, 5)}),
        ("nbkl,bkl->nb", (2, 3, 4, 5), {"w": (3, 4, 5)}),
        ("nk,nkj->nj", (2, 5), {"w": (2, 5, 3)}),
        ("nhd,hd->nhd", (2, 3, 4), {"w": (3, 4)}),
        ("ni,jk->ijn", (2, 3), {"w": (4, 5)}),
        ("ab,bc,cd->ad", (2, 3), {"w": (3, 4), "v": (4, 5)}),
        ("ab,cb->acb", (2, 3), {"w": (4, 3)}),
        ("ab,cb->a", (2, 3), {"w": (4, 3)}),
        ("nab,aa->nb", (2, 3, 4), {"w": (3, 3)}),
    ]):
        inputs = ["w", "x"] if equation.startswith("kj") else ["x", *weights]
        graph(f"einsum-further-{number}", 12, shape, [("Einsum", inputs, ["y"], {"equation": equation})], weights)


def bits_and_live_places():
    """Bits of integers, and elements at indices that the image decides."""
    shape = (2, 3, 4)
    for operator in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]:
        nodes = [("Mul", ["x", "ten"], ["m"], {}), ("Cast", ["m"], ["i"], {"to": 6}),
                 (operator, ["i", "c"], ["b"], {}), ("BitwiseNot", ["b"], ["n"], {}), ("Cast", ["n"], ["y"], {"to": 1})]
        graph(f"live-{operator.lower()}", 18, shape, nodes, {"ten": np.float32(10), "c": np.int32([6, -3, 9, 0])})
    for direction in ["LEFT", "RIGHT"]:
        nodes = [("Abs", ["x"], ["a"], {}), ("Mul", ["a", "ten"], ["m"], {}), ("Cast", ["m"], ["i"], {"to": 2}),
                 ("BitShift", ["i", "c"], ["b"], {"direction": direction}), ("Cast", ["b"], ["y"], {"to": 1})]
        graph(f"live-bitshift-{direction.lower()}", 18, shape, nodes,
              {"ten": np.float32(60), "c": np.uint8([1, 2, 3, 0])})
    graph("live-gather-table", 13, shape, [("ArgMax", ["x"], ["i"], {"axis": 2, "keepdims": 0}),
                                           ("Gather", ["w", "i"], ["y"], {})], {"w": (4, 5)})
    order = [("TopK", ["x", "k"], ["v", "i"], {"axis": 1}), ("Neg", ["x"], ["n"], {})]
    graph("live-gather-elements", 13, shape, [*order, ("GatherElements", ["n", "i"], ["y"], {"axis": 1})],
          {"k": integers(2)})
    best = [("ReduceMean", ["x"], ["m"], {"axes": [2], "keepdims": 0}), ("TopK", ["m", "k"], ["v", "i"], {})]
    graph("live-gather-parts", 13, shape, [*best, ("Unsqueeze", ["i", "last"], ["u"], {}),
                                           ("GatherND", ["x", "u"], ["y"], {"batch_dims": 1})],
          {"k": integers(2), "last": integers(2)})
    graph("live-gather", 13, (1, 6, 4), [*best, ("Squeeze", ["i", "first"], ["u"], {}),
                                         ("Gather", ["x", "u"], ["y"], {"axis": 1})],
          {"k": integers(3), "first": integers(0)})


def further_volumes():
    """Transposed convolutions over three axes, and pads that follow from windows."""
    shape = (2, 4, 3, 4, 5)
    weights = {"w": (4, 2, 2, 3, 2), "b": (4,)}
    single("convtranspose-volume", 11, shape, "ConvTranspose", weights, group=2, strides=[2, 1, 3], pads=[1, 0, 1, 0, 1, 1],
           output_padding=[1, 0, 2])
    single("convtranspose-volume-dilated", 11, shape, "ConvTranspose", {"w": (4, 3, 2, 2, 3)}, dilations=[2, 1, 2])
    for side in ["UPPER", "LOWER"]:
        single(f"conv-volume-{side.lower()}", 11, shape, "Conv", {"w": (3, 4, 2, 3, 4)}, auto_pad=f"SAME_{side}")


for family in (products_and_functions, places, norms, volumes, cubic, decisions, grids, resizing, sums_of_products,
               bits_and_live_places, further_volumes):
    family()
