"""Single-operator models of products of two tensors that both depend on the image, and of what transformers are made of, behind
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


for family in (products, attention, spelled_out):
    family()
