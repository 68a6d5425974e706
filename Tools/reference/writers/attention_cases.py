"""Single-operator models of products of two tensors that both depend on the image, and of the parts of transformers. They follow those of
further_operator_cases."""

import numpy as np

from writers.further_operator_cases import CASES
from writers.operator_cases import graph, integers, positive, single

__all__ = ["CASES"]


def products():
    """MatMul, Gemm and Einsum of two tensors that both depend on the image."""
    shape = (2, 3, 4, 5)
    transpose = ("Transpose", ["x"], ["t"], {"perm": [0, 1, 3, 2]})
    graph("matmul-live", 13, shape, [transpose, ("MatMul", ["x", "t"], ["y"], {})])
    graph("matmul-live-broadcast", 13, shape, [
        transpose, ("ReduceMean", ["t"], ["m"], {"axes": [1]}), ("MatMul", ["x", "m"], ["y"], {})])
    graph("matmul-live-lower-rank", 13, (1, 3, 4, 5), [
        transpose, ("ReduceMean", ["t"], ["m"], {"axes": [0, 1], "keepdims": 0}), ("MatMul", ["m", "x"], ["y"], {})])
    graph("matmul-live-column", 13, (1, 3, 4, 5), [
        ("ReduceMean", ["x"], ["m"], {"axes": [0, 1, 2], "keepdims": 0}), ("MatMul", ["x", "m"], ["y"], {})])
    graph("matmul-live-row", 13, (1, 3, 4, 5), [
        ("ReduceMean", ["x"], ["m"], {"axes": [0, 1, 3], "keepdims": 0}), ("MatMul", ["m", "x"], ["y"], {})])
    graph("matmul-live-lists", 13, (6,), [("Sigmoid", ["x"], ["s"], {}), ("MatMul", ["x", "s"], ["y"], {})])
    graph("matmul-live-large", 13, (1, 2, 130, 700), [transpose, ("MatMul", ["x", "t"], ["y"], {})])
    matrix = (4, 6)
    turned = ("Transpose", ["x"], ["t"], {"perm": [1, 0]})
    graph("gemm-live", 13, matrix, [turned, ("Gemm", ["x", "t"], ["y"], {})])
    graph("gemm-live-both-turned", 13, matrix, [
        turned, ("Gemm", ["x", "t", "c"], ["y"], {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0})], {"c": (6,)})
    graph("gemm-live-summand", 13, matrix, [
        ("Sigmoid", ["x"], ["s"], {}), ("ReduceMean", ["x"], ["m"], {"axes": [1]}),
        ("Gemm", ["x", "s", "m"], ["y"], {"transB": 1})])

    def einsum(name, equation, order=None):
        nodes = [("Sigmoid", ["x"], ["s"], {})]
        if order:
            nodes.append(("Transpose", ["s"], ["t"], {"perm": order}))
        other = "t" if order else "s"
        graph(f"einsum-live-{name}", 13, shape, [*nodes, ("Einsum", ["x", other], ["y"], {"equation": equation})])

    einsum("attention", "bhqd,bhkd->bhqk")
    einsum("values", "bhqk,bhkd->bhqd", [0, 1, 3, 2])
    einsum("ellipsis", "...id,...jd->...ij")
    einsum("two-summed", "bhqd,bgqd->bhg")
    einsum("two-own", "bhqd,bgkd->bhqgk")
    einsum("elementwise", "bhqd,bhqd->bhqd")
    einsum("outer", "bhqd,bhqe->bhdqe")
    einsum("dot", "bhqd,bhqd->bh")
    einsum("own-sums", "bhqd,bgkd->bhk")
    einsum("column", "bhqd,bhqd->bhq")
    einsum("implicit", "abcd,abed")


def attention():
    """Attention and RotaryEmbedding of opset 23."""
    heads = (2, 4, 5, 6)
    qkv = [("Sigmoid", ["x"], ["k"], {}), ("Tanh", ["x"], ["v"], {})]

    def of_heads(name, inputs=(), constants=None, opset=23, **attributes):
        nodes = [*qkv, ("Attention", ["x", "k", "v", *inputs], ["y"], attributes)]
        graph(f"attention-{name}", opset, heads, nodes, constants)

    of_heads("heads")
    of_heads("scale", scale=0.7)
    of_heads("causal", is_causal=1)
    of_heads("softcap", softcap=0.5)
    of_heads("mask", ["m"], {"m": (5, 5)})
    of_heads("mask-of-batch", ["m"], {"m": (2, 1, 5, 5)}, is_causal=1)
    truths = np.array([[True, False, True, True, True], [True] * 5, [False, True, False, True, False], [True] * 5, [True] * 5])
    of_heads("truths", ["m"], {"m": truths}, softcap=2.0)
    tokens = (2, 5, 12)

    def of_tokens(name, few, **attributes):
        nodes = [("MatMul", ["x", "a"], ["k"], {}), ("MatMul", ["x", "b"], ["v"], {}),
                 ("Attention", ["x", "k", "v"], ["y"], {"q_num_heads": 4, "kv_num_heads": few} | attributes)]
        graph(f"attention-{name}", 23, tokens, nodes, {"a": (12, 3 * few), "b": (12, 2 * few)})

    of_tokens("tokens", 4)
    of_tokens("groups", 2)
    of_tokens("one-group", 1, is_causal=1)
    few = [("Slice", ["x", "zero", "two", "one"], ["k"], {}), ("Tanh", ["k"], ["v"], {}),
           ("Attention", ["x", "k", "v", "m"], ["y"], {})]
    graph("attention-groups-of-heads", 23, heads, few,
          {"zero": integers(0), "two": integers(2), "one": integers(1), "m": (1, 4, 5, 5)})

    def rotary(name, shape, inputs, constants, **attributes):
        graph(f"rotaryembedding-{name}", 23, shape, [("RotaryEmbedding", ["x", *inputs], ["y"], attributes)], constants)

    angles = {"c": (2, 5, 3), "s": (2, 5, 3)}
    rotary("heads", heads, ["c", "s"], angles)
    rotary("interleaved", heads, ["c", "s"], angles, interleaved=1)
    rotary("tokens", (2, 5, 24), ["c", "s"], angles, num_heads=4)
    positions = np.array([[0, 1, 2, 3, 4], [6, 5, 4, 3, 2]])
    rotary("positions", (2, 4, 5, 8), ["c", "s", "p"], {"c": (7, 3), "s": (7, 3), "p": positions}, rotary_embedding_dim=6)


def spelled_out():
    """Layer normalization and GELU as exporters write them."""
    shape = (2, 5, 6)
    ln = [("ReduceMean", ["x"], ["m"], {"axes": [-1]}), ("Sub", ["x", "m"], ["d"], {}), ("Pow", ["d", "two"], ["p"], {}),
          ("ReduceMean", ["p"], ["v"], {"axes": [-1]}), ("Add", ["v", "e"], ["a"], {}), ("Sqrt", ["a"], ["r"], {})]
    constants = {"two": np.float32(2), "e": np.float32(1e-3)}
    affine = {"g": (6,), "b": (6,)}
    graph("layernorm-spelled", 13, shape, [*ln, ("Div", ["d", "r"], ["n"], {}), ("Mul", ["n", "g"], ["s"], {}),
                                          ("Add", ["s", "b"], ["y"], {})], constants | affine)
    graph("layernorm-spelled-plain", 13, shape, [*ln, ("Div", ["d", "r"], ["y"], {})], constants)
    squares = [("Mul", ["x", "x"], ["p"], {}), ("ReduceMean", ["p"], ["v"], {"axes": [2]}), ("Add", ["e", "v"], ["a"], {}),
               ("Sqrt", ["a"], ["r"], {}), ("Reciprocal", ["r"], ["i"], {}), ("Mul", ["x", "i"], ["n"], {}),
               ("Mul", ["g", "n"], ["y"], {})]
    graph("rmsnorm-spelled", 13, shape, squares, {"e": np.float32(1e-3), "g": (6,)})
    single("rmsnormalization", 23, shape, "RMSNormalization", {"g": positive(6)}, epsilon=1e-3)
    erf = [("Div", ["x", "root"], ["q"], {}), ("Erf", ["q"], ["f"], {}), ("Add", ["f", "one"], ["a"], {})]
    numbers = {"root": np.float32(2 ** 0.5), "one": np.float32(1), "half": np.float32(0.5)}
    graph("gelu-spelled", 13, shape, [*erf, ("Mul", ["x", "a"], ["p"], {}), ("Mul", ["p", "half"], ["y"], {})], numbers)
    graph("gelu-spelled-half-first", 13, shape, [
        ("Mul", ["x", "half"], ["h"], {}), *erf, ("Mul", ["h", "a"], ["y"], {})], numbers)
    tanh = [("Pow", ["x", "three"], ["c"], {}), ("Mul", ["c", "k"], ["i"], {}), ("Add", ["x", "i"], ["j"], {}),
            ("Mul", ["j", "w"], ["u"], {}), ("Tanh", ["u"], ["t"], {}), ("Add", ["one", "t"], ["a"], {}),
            ("Mul", ["h", "a"], ["y"], {})]
    graph("gelu-spelled-tanh", 13, shape, [("Mul", ["half", "x"], ["h"], {}), *tanh],
          {"three": np.float32(3), "k": np.float32(0.044715), "w": np.float32((2 / np.pi) ** 0.5), "one": np.float32(1),
           "half": np.float32(0.5)})


def of_constants():
    """Weight standardization, and other operators whose inputs are all constants."""
    image = (2, 3, 6, 6)
    kernels, per_kernel = {"w": (4, 3, 3, 3)}, {"g": positive(4), "o": (4,), "m": (4,), "v": positive(4)}
    rows, back = {"rows": integers(1, 4, -1)}, {"back": integers(4, 3, 3, 3)}
    flat, conv = ("Reshape", ["w", "rows"], ["r"], {}), ("Conv", ["x", "k"], ["y"], {})
    norm = ("BatchNormalization", ["r", "g", "o", "m", "v"], ["n"], {"epsilon": 1e-3})
    shaped = ("Reshape", ["n", "back"], ["k"], {})
    graph("constants-batchnorm", 15, image, [flat, norm, shaped, conv], kernels | per_kernel | rows | back)
    graph("constants-batchnorm-own", 15, image, [
        flat, ("ReduceMean", ["r"], ["mean"], {"axes": [0, 2], "keepdims": 0}),
        ("BatchNormalization", ["r", "g", "o", "mean", "v"], ["n", "rm", "rv"], {"epsilon": 1e-3, "training_mode": 1, "momentum": 1.0}),
        shaped, conv], kernels | per_kernel | rows | back)

    def weights(name, opset, *nodes, **constants):
        graph(f"constants-{name}", opset, image, [*nodes, conv], kernels | constants)

    weights("averagepool", 13, ("AveragePool", ["w"], ["k"], {"kernel_shape": [2, 2]}))
    weights("maxpool", 13, ("MaxPool", ["w"], ["k"], {"kernel_shape": [2, 2]}))
    weights("conv", 13, ("Conv", ["w", "u"], ["k"], {"pads": [1, 1, 1, 1]}), u=(3, 3, 2, 2))
    weights("convtranspose", 13, ("ConvTranspose", ["w", "u"], ["k"], {}), u=(3, 3, 2, 2))
    weights("softmax", 13, ("Softmax", ["w"], ["k"], {}))
    weights("layernorm", 17, ("LayerNormalization", ["w", "s"], ["k"], {}), s=(3,))
    weights("groupnorm", 21, ("GroupNormalization", ["w", "s", "b"], ["k"], {"num_groups": 3}), s=(3,), b=(3,))
    weights("instancenorm", 13, ("InstanceNormalization", ["w", "s", "b"], ["k"], {}), s=(3,), b=(3,))
    weights("lrn", 13, ("LRN", ["w"], ["k"], {"size": 3}))
    weights("prelu", 13, ("PRelu", ["w", "s"], ["k"], {}), s=(3, 1, 1))
    weights("clip", 13, ("Clip", ["w", "low"], ["k"], {}), low=np.float32(-0.25))
    weights("resize", 13, ("Resize", ["w", "", "scales"], ["k"], {"mode": "linear"}), scales=np.array([1, 1, 0.67, 0.67], np.float32))
    weights("matmul", 13, ("MatMul", ["w", "u"], ["k"], {}), u=(3, 2))
    weights("mean", 13, ("ReduceMean", ["w"], ["m"], {"axes": [1, 2, 3]}), ("Sub", ["w", "m"], ["k"], {}))
    weights("einsum", 13, ("Einsum", ["w", "u"], ["k"], {"equation": "oihw,wv->oihv"}), u=(3, 2))
    bias = ("MatMul", ["t", "p"], ["h"], {}), ("Relu", ["h"], ["a"], {}), ("MatMul", ["a", "q"], ["b"], {})
    graph("constants-bias", 13, (2, 5, 6), [*bias, ("Add", ["x", "b"], ["y"], {})], {"t": (5, 2), "p": (2, 8), "q": (8, 6)})


def einsums():
    """Einsum of one operand and constants with several axes of their own, and of more operands; and products with several matrices."""
    shape = (2, 3, 4, 5, 6)

    def by(name, equation, **constants):
        graph(f"einsum-by-{name}", 13, shape, [("Einsum", ["x", *constants], ["y"], {"equation": equation})], constants)

    by("rows", "byhwc,hkc->byhwk", t=(4, 7, 6))
    by("columns", "byhwc,wkc->byhwk", t=(5, 7, 6))
    by("both", "byhwc,hwkc->byhwk", t=(4, 5, 7, 6))
    by("batch", "byhwc,bkc->byhwk", t=(2, 7, 6))
    by("first", "byhwc,ykc->kbyhw", t=(3, 7, 6))
    by("no-free", "byhwc,hc->byhw", t=(4, 6))
    by("two-constants", "byhwc,hkc,kl->byhwl", t=(4, 7, 6), u=(7, 2))
    pair = [("Sigmoid", ["x"], ["s"], {}), ("Tanh", ["x"], ["t"], {})]
    graph("einsum-live-three", 13, (2, 3, 4), [*pair, ("Einsum", ["x", "s", "t"], ["y"], {"equation": "bid,bjd,bkd->bijk"})])
    graph("einsum-live-chain", 13, (2, 3, 4), [*pair, ("Einsum", ["x", "s", "t"], ["y"], {"equation": "bid,bjd,bje->bie"})])
    graph("einsum-live-between", 13, (2, 3, 4), [*pair, ("Einsum", ["x", "w", "s"], ["y"], {"equation": "bid,de,bje->bij"})], {"w": (4, 4)})
    graph("matmul-matrices-further", 13, (2, 3, 4, 5, 6), [("MatMul", ["x", "w"], ["y"], {})], {"w": (4, 6, 7)})
    graph("matmul-matrices-between", 13, (2, 3, 4, 5, 6), [("MatMul", ["x", "w"], ["y"], {})], {"w": (3, 1, 6, 7)})
    graph("matmul-matrices-left", 13, (2, 3, 4, 5, 6), [("MatMul", ["w", "x"], ["y"], {})], {"w": (4, 7, 5)})


def columns():
    """Col2Im."""
    def image(name, shape, size, block, **attributes):
        graph(f"col2im-{name}", 18, shape, [("Col2Im", ["x", "size", "block"], ["y"], attributes)],
              {"size": integers(*size), "block": integers(*block)})

    image("overlap", (2, 27, 9), (5, 5), (3, 3), pads=[1, 1, 1, 1], strides=[2, 2])
    image("plain", (1, 12, 12), (4, 5), (2, 2))
    image("uneven", (1, 12, 6), (5, 6), (3, 2), pads=[1, 0, 0, 1], strides=[2, 2])
    image("gaps", (1, 8, 4), (6, 6), (2, 2), strides=[4, 4])
    image("dilated", (2, 12, 12), (7, 5), (2, 3), dilations=[3, 1])
    image("line", (1, 6, 5), (6,), (2,))
    image("volume", (1, 16, 8), (3, 3, 3), (2, 2, 2))


for family in (products, attention, spelled_out, of_constants, einsums, columns):
    family()
