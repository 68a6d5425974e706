"""Writes Fixtures/zoo: the nine `light_*` graphs of the onnx package with its expected outputs.

    python -m writers.write_zoo

The graphs are those of the ONNX model zoo (AlexNet, DenseNet-121, Inception v1 and v2, ResNet-50, ShuffleNet, SqueezeNet,
VGG-19, ZFNet-512) with weights from ConstantOfShape; element i of an input with n elements is i/n.
"""

import pathlib

import onnx
from onnx import numpy_helper

from onnx_files import FIXTURES, strip_annotations
from packed import Pack, ramp

LIGHT = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"


def write_light():
    pack = Pack()
    for path in sorted(LIGHT.glob("*.onnx")):
        model = onnx.load(str(path))
        strip_annotations(model)
        initializers = {tensor.name for tensor in model.graph.initializer}
        entry = next(entry for entry in model.graph.input if entry.name not in initializers)
        shape = [extent.dim_value for extent in entry.type.tensor_type.shape.dim]
        expected = numpy_helper.to_array(onnx.load_tensor(str(path.with_name(path.stem + "_output_0.pb"))))
        pack.add(path.stem, model.SerializeToString(deterministic=True), ramp(shape), expected)
    pack.write(FIXTURES / "zoo")


if __name__ == "__main__":
    write_light()
