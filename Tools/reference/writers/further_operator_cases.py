"""Single-operator models whose selections depend on the image, and further forms of operators. They follow those of later_operator_cases."""

import numpy as np

from writers.later_operator_cases import CASES
from writers.operator_cases import graph, integers, single

__all__ = ["CASES"]


def decisions():
    """Operators that depend on comparisons, truth values and positions of extremes in the image."""
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
    """Values at the positions of a constant grid and of a grid that depends on the image; a spatial transformer."""
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
    """Resizing with smoothing filters, of parts of the input, and without neighbors outside the input."""
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
    """Einsum with ellipses, diagonals, sums, labels that the constant shares or keeps, and several constants."""
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
    """Bitwise operators, and elements at indices that depend on the image."""
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
    """Transposed convolutions over three axes, and pads that depend on the windows."""
    shape = (2, 4, 3, 4, 5)
    weights = {"w": (4, 2, 2, 3, 2), "b": (4,)}
    single("convtranspose-volume", 11, shape, "ConvTranspose", weights, group=2, strides=[2, 1, 3], pads=[1, 0, 1, 0, 1, 1],
           output_padding=[1, 0, 2])
    single("convtranspose-volume-dilated", 11, shape, "ConvTranspose", {"w": (4, 3, 2, 2, 3)}, dilations=[2, 1, 2])
    for side in ["UPPER", "LOWER"]:
        single(f"conv-volume-{side.lower()}", 11, shape, "Conv", {"w": (3, 4, 2, 3, 4)}, auto_pad=f"SAME_{side}")


for family in (decisions, grids, resizing, sums_of_products, bits_and_live_places, further_volumes):
    family()
