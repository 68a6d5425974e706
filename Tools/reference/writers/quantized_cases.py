"""Integer operators and operators of the domain com.microsoft: nodes, weights, shape of the input, options."""

import numpy as np

from seeded import seeded_tensor

CASES = []
OWN = {"domain": "com.microsoft"}


def case(name, shape, nodes, weights=None, **options):
    CASES.append((name, nodes, weights or {}, shape, options))


def real(seed, *shape, scale=1.0):
    return seeded_tensor(seed, shape) * np.float32(scale)


def whole(seed, shape, kind):
    limits = np.iinfo(kind)
    return np.floor(seeded_tensor(seed, shape, limits.min, limits.max + 0.999)).astype(kind)


def quantizing():
    f, u8, i8 = np.float32, np.uint8, np.int8

    def pair(name, shape, scale, zero, axis=None, opset=13, **more):
        attributes = ({} if axis is None else {"axis": axis}) | more
        nodes = [("QuantizeLinear", ["x", "s", "z"], ["q"], attributes), ("DequantizeLinear", ["q", "s", "z"], ["y"], attributes)]
        case(f"pair-{name}", shape, nodes, {"s": scale, "z": zero}, opset=opset)

    pair("uint8", (2, 3, 4, 5), f(0.006), u8(120))
    pair("int8", (2, 3, 4, 5), f(0.004), i8(-20), opset=10)
    pair("channels", (2, 3, 4, 5), np.array([0.01, 0.005, 0.002], f), np.array([3, -5, 0], i8))
    pair("last-axis", (2, 3, 5), real(1, 5, scale=0.002) + f(0.006), np.array([0, 10, 128, 200, 255], u8), axis=-1)
    pair("int16", (2, 3, 4), f(0.0001), np.int16(-7), opset=21)
    pair("blocks", (2, 6, 3), real(2, 2, 3, 3, scale=0.002) + f(0.007), whole(3, (2, 3, 3), i8), axis=1, opset=21, block_size=2)
    case(
        "round-halves", (2, 3, 4), [
            ("Round", ["x"], ["r"], {}), ("Mul", ["r", "half"], ["h"], {}), ("QuantizeLinear", ["h", "s"], ["q"], {}),
            ("DequantizeLinear", ["q", "s"], ["y"], {})],
        {"half": f(0.5), "s": f(1)}, range=(-6.0, 600.0))  # fmt: skip
    weights = {"w": whole(4, (6, 3), np.int8), "s": real(5, 3, scale=0.003) + f(0.01), "z": np.array([1, -2, 0], i8)}
    nodes = [("DequantizeLinear", ["w", "s", "z"], ["d"], {"axis": 1}), ("MatMul", ["x", "d"], ["y"], {})]
    case("weights", (2, 6), nodes, weights)
    zeros = {"zx": np.uint8(7), "zw": np.uint8(130), "q": whole(6, (6, 4), np.uint8), "s": f(0.01), "z": u8(128)}
    quantized = ("QuantizeLinear", ["x", "s", "z"], ["a"], {})
    nodes = [quantized, ("MatMulInteger", ["a", "q", "zx", "zw"], ["i"], {}), ("Cast", ["i"], ["y"], {"to": 1})]
    case("matmulinteger", (2, 6), nodes, zeros)
    nodes = [quantized, ("ConvInteger", ["a", "q", "zx", "zw"], ["i"], {"pads": [1, 1, 1, 1]}), ("Cast", ["i"], ["y"], {"to": 1})]
    case("convinteger", (1, 2, 5, 6), nodes, zeros | {"q": whole(7, (3, 2, 3, 3), np.uint8)})
    product = {"q": whole(8, (6, 4), np.int8), "sq": real(9, 4, scale=0.002) + f(0.01), "zq": np.array([0, 3, -4, 1], i8)}
    own = {"s": f(0.01), "z": u8(128), "so": f(0.05), "zo": u8(100)}
    nodes = [
        quantized, ("QLinearMatMul", ["a", "s", "z", "q", "sq", "zq", "so", "zo"], ["p"], {}),
        ("DequantizeLinear", ["p", "so", "zo"], ["y"], {})]  # fmt: skip
    case("qlinearmatmul", (2, 6), nodes, own | product)
    nodes = [
        quantized, ("QGemm", ["a", "s", "z", "q", "sq", "zq", "c", "so", "zo"], ["p"], {"alpha": 1.0, "transB": 0} | OWN),
        ("DequantizeLinear", ["p", "so", "zo"], ["y"], {})]  # fmt: skip
    gemm = {"q": whole(10, (6, 4), np.int8), "sq": f(0.004), "zq": np.int8(0), "c": whole(11, (4,), np.int16).astype(np.int32) // 50}
    case("qgemm", (2, 6), nodes, own | gemm)
    nodes = [quantized, ("QGemm", ["a", "s", "z", "q", "sq", "zq", "c"], ["y"], {"alpha": 0.5, "transB": 1} | OWN)]
    case("qgemm-real", (2, 6), nodes, own | gemm | {"q": whole(10, (4, 6), np.int8)})

    def function(name, op, shape=(1, 4, 6, 6), quantized_to=(0.02, 90), **attributes):
        weights = own | {"so": f(quantized_to[0]), "zo": u8(quantized_to[1])}
        nodes = [quantized, (op, ["a", "s", "z", "so", "zo"], ["p"], attributes | OWN), ("DequantizeLinear", ["p", "so", "zo"], ["y"], {})]
        case(name, shape, nodes, weights)

    function("qlinearsigmoid", "QLinearSigmoid", quantized_to=(1 / 256, 0))
    function("qlinearleakyrelu", "QLinearLeakyRelu", alpha=0.2)
    function("qlinearaveragepool", "QLinearAveragePool", quantized_to=(0.0231, 90), kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    function("qlinearaveragepool-last", "QLinearAveragePool", shape=(1, 6, 6, 4), quantized_to=(0.0231, 90), kernel_shape=[2, 2], strides=[2, 2], channels_last=1)
    function("qlinearglobalaveragepool", "QLinearGlobalAveragePool", quantized_to=(0.005, 128), channels_last=0)
    function("qlinearglobalaveragepool-last", "QLinearGlobalAveragePool", shape=(1, 6, 6, 4), quantized_to=(0.005, 128), channels_last=1)
    function("qlinearsoftmax", "QLinearSoftmax", shape=(2, 6), quantized_to=(1 / 256, 0), axis=-1, opset=13)
    for op in ["QLinearAdd", "QLinearMul"]:
        nodes = [
            quantized, (op, ["a", "s", "z", "b", "sb", "zb", "so", "zo"], ["p"], OWN), ("DequantizeLinear", ["p", "so", "zo"], ["y"], {})]  # fmt: skip
        case(op.lower(), (2, 3, 4), nodes, own | {"b": whole(12, (3, 1), np.uint8), "sb": f(0.007), "zb": u8(99)})
    nodes = [
        quantized, ("Relu", ["x"], ["r"], {}), ("QuantizeLinear", ["r", "sb", "zb"], ["b"], {}),
        ("QLinearConcat", ["so", "zo", "a", "s", "z", "b", "sb", "zb"], ["p"], {"axis": 1} | OWN),
        ("DequantizeLinear", ["p", "so", "zo"], ["y"], {})]  # fmt: skip
    case("qlinearconcat", (2, 3, 4), nodes, own | {"sb": f(0.007), "zb": u8(0)})
    dynamic = {"w": whole(13, (6, 4), np.int8), "sw": real(14, 4, scale=0.003) + f(0.01), "zw": np.zeros(4, i8), "b": real(15, 4)}
    case("dynamicquantizematmul", (2, 6), [("DynamicQuantizeMatMul", ["x", "w", "sw", "zw", "b"], ["y"], OWN)], dynamic)


def fused():
    f, u8 = np.float32, np.uint8

    def one(name, op, shape, weights=None, domain=OWN, opset=17, **attributes):
        weights = weights or {}
        case(name, shape, [(op, ["x", *weights], ["y"], attributes | domain)], weights, opset=opset)

    image = (1, 2, 6, 6)
    weights = {"w": real(20, 2, 2, 3, 3), "b": real(21, 2)}
    for activation, parameters in [
        ("Relu", None), ("Sigmoid", None), ("Tanh", None), ("LeakyRelu", [0.2]), ("Clip", [-0.3, 0.4]), ("HardSigmoid", [0.3, 0.4])]:  # fmt: skip
        own = {} if parameters is None else {"activation_params": parameters}
        one(f"fusedconv-{activation.lower()}", "FusedConv", image, weights, pads=[1, 1, 1, 1], activation=activation, **own)
    nodes = [
        ("Relu", ["x"], ["z"], {}), ("FusedConv", ["x", "w", "b", "z"], ["y"], {"pads": [1, 1, 1, 1], "activation": "Relu"} | OWN)]  # fmt: skip
    case("fusedconv-sum", image, nodes, weights)
    gemm = {"w": real(22, 6, 4), "c": real(23, 4)}
    one("fusedgemm-relu", "FusedGemm", (2, 6), gemm, activation="Relu", alpha=0.5, beta=2.0)
    one("fusedgemm-leakyrelu", "FusedGemm", (2, 6), gemm | {"w": real(22, 4, 6)}, activation="LeakyRelu", activation_alpha=0.3, transB=1)
    one("fusedmatmul", "FusedMatMul", (2, 3, 6), {"w": real(24, 4, 6)}, alpha=0.25, transB=1)
    one("fusedmatmul-turned", "FusedMatMul", (2, 6, 3), {"w": real(24, 6, 4)}, transA=1)
    one("transposematmul", "TransposeMatMul", (2, 3, 6), {"w": real(24, 4, 6)}, transB=1)
    one("gelu", "Gelu", (2, 6))
    one("fastgelu", "FastGelu", (2, 6))
    one("fastgelu-bias", "FastGelu", (2, 6), {"b": real(25, 6)})
    one("biasgelu", "BiasGelu", (2, 6), {"b": real(25, 6)})
    one("quickgelu", "QuickGelu", (2, 6), alpha=1.702)
    one("layernormalization-simplified", "SimplifiedLayerNormalization", (2, 3, 6), {"g": real(26, 6)}, domain={}, epsilon=1e-5, axis=-1)
    one("rmsnormalization", "RMSNormalization", (2, 3, 6), {"g": real(26, 6)}, domain={}, opset=23, epsilon=1e-5)
    for simple in [False, True]:
        own = {"g": real(26, 6)} | ({} if simple else {"b": real(27, 6)}) | {"c": real(28, 6)}
        op = "SkipSimplifiedLayerNormalization" if simple else "SkipLayerNormalization"
        nodes = [
            ("Relu", ["x"], ["r"], {}), (op, ["x", "r", *own], ["n", "", "", "s"], {"epsilon": 1e-5} | OWN),
            ("Add", ["n", "s"], ["y"], {})]  # fmt: skip
        case(op.lower(), (2, 3, 6), nodes, own)
    pads = {"p": np.array([0, 0, 1, 0, 0, 0, 0, 2], np.int64), "v": f(0.5)}
    one("pad", "Pad", image, pads, mode="constant")
    one("crop", "Crop", image, domain={}, opset=7, border=[1, 2, 0, 1])
    one("crop-scale", "Crop", image, domain={}, opset=7, border=[1, 2, 0, 1], scale=[3, 2])
    one("imagescaler", "ImageScaler", image, domain={}, opset=7, scale=0.5, bias=[0.25, -0.5])
    nodes = [
        ("QuantizeLinear", ["x", "s", "z"], ["q"], {}),
        ("NhwcMaxPool", ["q"], ["m"], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 0]} | OWN),
        ("DequantizeLinear", ["m", "s", "z"], ["y"], {})]  # fmt: skip
    case("nhwcmaxpool", (1, 6, 6, 3), nodes, {"s": f(0.01), "z": u8(128)})


quantizing()
fused()
