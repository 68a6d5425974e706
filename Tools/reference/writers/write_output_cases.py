"""Writes Fixtures/cases/two_outputs: a network with two outputs, and the values that ONNX Runtime computes.

    python -m writers.write_output_cases
"""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from onnx_files import FIXTURES
from seeded import seeded_tensor

FOLDER = FIXTURES / "cases" / "two_outputs"


def tensor(name, shape, seed):
    return numpy_helper.from_array(seeded_tensor(seed, shape), name)


def model():
    """A convolution, its features (the mean of each channel), and probabilities, which are named logits."""
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["convolved"], name="conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["convolved"], ["rectified"], name="relu"),
        helper.make_node("GlobalAveragePool", ["rectified"], ["means"], name="pool"),
        helper.make_node("Flatten", ["means"], ["head/features"], name="flatten"),
        helper.make_node("Gemm", ["head/features", "matrix", "bias"], ["scores"], name="fc", transB=1),
        helper.make_node("Softmax", ["scores"], ["logits"], name="softmax"),
    ]
    outputs = [helper.make_tensor_value_info("head/features", TensorProto.FLOAT, None), onnx.ValueInfoProto(name="logits")]
    graph = helper.make_graph(
        nodes,
        "two outputs",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 9])],
        outputs,
        [tensor("kernel", (6, 3, 3, 3), 1), tensor("matrix", (4, 6), 2), tensor("bias", (4,), 3)],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    made.ir_version = 8
    made.producer_name, made.producer_version = "", ""
    return made


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = model()
    (FOLDER / "model.onnx").write_bytes(made.SerializeToString())
    image = seeded_tensor(4, (1, 3, 8, 9))
    np.save(FOLDER / "input.npy", image)
    # Values inside the network are outputs only here.
    made.graph.output.extend(onnx.ValueInfoProto(name=name) for name in ("scores", "rectified"))
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    names = {"head/features": "features", "logits": "probabilities", "scores": "scores", "rectified": "rectified"}
    for file, values in zip(names.values(), session.run(list(names), {"x": image})):
        np.save(FOLDER / f"{file}-output.npy", values)
        print(file, values.ravel()[:6])


if __name__ == "__main__":
    main()
