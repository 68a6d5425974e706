"""Writes Fixtures/vectors: the operator test vectors of the onnx package, old and new, as networks with one image as input.

    python -m writers.write_vectors --old FOLDER [--found FILE]

`FOLDER` is the `data` folder of Debian's libonnx-testdata 1.12 (`apt-get download libonnx-testdata; dpkg -x ...`). Uses all cases of one node whose
operator is in `Sources/ONNXFormat/OperatorRegistry.swift`, and cases whose function consists of such operators: one for each output, and the first of
cases of the same kind (opset of the operators, attributes, types and numbers of axes). Each case becomes two networks. In `image`, the first
floating-point input remains the input, and all others are constants. In `constant`, all inputs are constants, and an input of zeros is added to the
result, so that the result is computed when the file is read.

The list of rejected cases is kept from one run to the next. If the tests find changes, they write them to the file in the variable
RELEVANCEKIT_VECTORS_FOUND; `--found` adopts this file.
"""

import argparse
import json
import pathlib
import subprocess
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

import storage
from onnx_files import FIXTURES, strip_annotations
from packed import Pack
from runtime import run

FOLDER = FIXTURES / "vectors"
LARGEST_CASE = 8 << 10
REAL = {TensorProto.FLOAT: 1e-5, TensorProto.DOUBLE: 1e-5, TensorProto.FLOAT16: 2e-3, TensorProto.BFLOAT16: 1e-2}
INTEGERS = {
    getattr(TensorProto, name) for name in ("BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
}


# For these cases, ONNX Runtime's output is expected.
BY_RUNTIME = {
    "averagepool_2d_ceil_last_window_starts_on_pad": "the package gives four digits",
    "resize_downsample_scales_cubic_align_corners": "ONNX Runtime and PyTorch align the corners of whole extents",
    "resize_downsample_scales_linear_align_corners": "ONNX Runtime and PyTorch align the corners of whole extents",
}


class LeftOut(Exception):
    """The reason why a case cannot be a network with one image as input."""


def registered(tool):
    """The operators that the importer supports."""
    listed = subprocess.run([tool, "list", "operators"], check=True, capture_output=True, text=True).stdout
    return set(listed.split())


def new_cases():
    """(name, model, inputs, outputs) of the installed onnx package."""
    for case in collect_testcases(None):
        if case.model is not None and case.data_sets:
            yield case.name, case.model, *case.data_sets[0]


def old_cases(folder):
    """The same for a folder of test data."""
    for path in sorted((folder / "node").iterdir()):
        sets = path / "test_data_set_0"
        model = onnx.load(str(path / "model.onnx"))

        def tensors(kind, infos):
            for index, info in enumerate(infos):
                if info.type.WhichOneof("value") != "tensor_type":
                    yield None
                else:
                    yield onnx.load_tensor(str(sets / f"{kind}_{index}.pb"))

        yield path.name, model, list(tensors("input", model.graph.input)), list(tensors("output", model.graph.output))


def array(value):
    """A tensor of a case as an array."""
    if isinstance(value, TensorProto):
        if value.data_type not in REAL and value.data_type not in INTEGERS:
            raise LeftOut(f"a tensor of type {TensorProto.DataType.Name(value.data_type)}")
        return numpy_helper.to_array(value)
    if not isinstance(value, np.ndarray) and not np.isscalar(value):
        raise LeftOut("an input or output that is no tensor")
    value = np.asarray(value)
    if value.dtype.kind not in "fiub" and value.dtype.name != "bfloat16":
        raise LeftOut(f"a tensor of type {value.dtype.name}")
    return value


def as_declared(value, kind):
    """A value of an input; version 1.12 stores the bits of BFLOAT16 as integers."""
    if kind == TensorProto.BFLOAT16 and value.dtype == np.uint16:
        return (value.astype(np.uint32) << 16).view(np.float32)
    return value


def kind_of(info):
    if info.type.WhichOneof("value") != "tensor_type":
        raise LeftOut("an input or output that is no tensor")
    kind = info.type.tensor_type.elem_type
    if kind not in REAL and kind not in INTEGERS:
        raise LeftOut(f"a tensor of type {TensorProto.DataType.Name(kind)}")
    return kind


def constant(value, info):
    """An initializer with the value of an input."""
    tensor = numpy_helper.from_array(value, info.name)
    if tensor.data_type != kind_of(info):
        tensor = helper.make_tensor(info.name, kind_of(info), value.shape, value.astype(np.float32).ravel())
    return tensor


def network(model, values, output, image):
    """The model with one output. `image` is the index of the remaining input, or None for an input of zeros."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    strip_annotations(result)
    result.producer_name, result.producer_version = "", ""
    graph = result.graph
    graph.name = "vector"
    infos = list(graph.input)
    kept = graph.output[output]
    del graph.input[:], graph.output[:]
    for index, (info, value) in enumerate(zip(infos, values)):
        if index == image:
            shape = list(value.shape)
            graph.input.append(helper.make_tensor_value_info(info.name, kind_of(info), shape))
        else:
            graph.initializer.append(constant(value, info))
    graph.output.append(kept)
    return result


def kind(model, values, output):
    """The kind of a case; one case per kind is sufficient."""
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))

    def since(node):
        try:
            return onnx.defs.get_schema(node.op_type, opset, node.domain).since_version
        except onnx.defs.SchemaError:
            return opset

    nodes = [(node.op_type, since(node), len(node.input), [name == "" for name in node.input],
              sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute))
             for node in model.graph.node]
    return repr((nodes, [(value.dtype.name, value.ndim, value.size == 0, 1 in value.shape) for value in values], output))


def summed_with_zeros(model, rank):
    """Adds an input of zeros to the result."""
    graph = model.graph
    name = graph.output[0].name
    del graph.output[:]
    graph.node.append(helper.make_node("Cast", [name], ["vector result"], to=TensorProto.FLOAT))
    graph.node.append(helper.make_node("Add", ["vector zeros", "vector result"], ["vector sum"]))
    graph.input.append(helper.make_tensor_value_info("vector zeros", TensorProto.FLOAT, [1] * rank))
    graph.output.append(helper.make_tensor_value_info("vector sum", TensorProto.FLOAT, None))


def networks(name, model, inputs, outputs, seen):
    """(name, model, input, output, tolerance) of each network of a case."""
    used = {output for node in model.graph.node for output in node.output}
    infos = list(model.graph.input)
    kinds = [kind_of(info) for info in infos]
    values = [as_declared(array(value), kind) for value, kind in zip(inputs, kinds)]
    tolerance = max([REAL.get(kind, 0) for kind in kinds] + [1e-5])
    image = next((index for index, kind in enumerate(kinds) if kind in REAL), None)
    for index, info in enumerate(model.graph.output):
        if info.name not in used:
            continue
        own = kind(model, values, index)
        if own in seen and "_expanded" not in name:
            continue
        seen.add(own)
        expected = array(outputs[index])
        title = name + ("" if index == 0 else f" output {index}")
        slack = max(tolerance, REAL.get(kind_of(info), 0))
        expected = expected.astype(np.float32)
        if image is not None:
            yield title + " image", network(model, values, index, image), values[image].astype(np.float32), expected, slack
        rewritten = network(model, values, index, None)
        rank = max(expected.ndim, 1)
        summed_with_zeros(rewritten, rank)
        yield title + " constant", rewritten, np.zeros([1] * rank), expected.reshape(expected.shape or (1,)), slack


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", required=True, type=pathlib.Path, help="the data folder of libonnx-testdata")
    parser.add_argument("--tool", default=".build/release/relevance", help="the program relevance, which lists the operators")
    parser.add_argument("--found", type=pathlib.Path, help="the file with the changes that the tests found, to adopt")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    known = registered(arguments.tool)
    refused = {}
    if (FOLDER / storage.ARCHIVE).exists():
        cases = json.loads(storage.read(FOLDER / "cases.json"))["cases"]
        refused = {case["name"]: case["refused"] for case in cases if "refused" in case}
    if arguments.found:
        refused = json.loads(arguments.found.read_text())
    pack, left_out, seen, kinds = Pack(), {}, set(), set()
    for suffix, cases in (("", new_cases()), (" (1.12)", old_cases(arguments.old))):
        for name, model, inputs, outputs in cases:
            operators = {node.op_type for node in model.graph.node}
            if not operators <= known or len(model.graph.node) > 1 and "_expanded" not in name:
                continue
            title = name.removeprefix("test_") + suffix
            opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
            if name.removeprefix("test_") in BY_RUNTIME:
                model.ir_version = 7
                outputs = [run(model.SerializeToString(), [np.asarray(array(value)) for value in inputs])]
            try:
                for case, rewritten, values, expected, tolerance in networks(title, model, inputs, outputs, kinds):
                    data = rewritten.SerializeToString(deterministic=True)
                    if len(data) + values.nbytes + expected.nbytes > LARGEST_CASE:
                        left_out[case] = f"larger than {LARGEST_CASE >> 10} KB"
                        continue
                    if data in seen:
                        continue
                    seen.add(data)
                    facts = {"operators": sorted(operators), "opset": opset, "tolerance": tolerance}
                    if case in refused:
                        facts["refused"] = refused[case]
                    pack.add(case, data, values, expected, **facts)
            except LeftOut as reason:
                left_out[title] = str(reason)
    pack.write(FOLDER, by_runtime=BY_RUNTIME, left_out=left_out)
    passing = {operator for case in pack.cases if "refused" not in case for operator in case["operators"]}
    print(f"{len(left_out)} left out, {len(refused)} rejected; operators without a vector that passes: {sorted(known - passing)}")


if __name__ == "__main__":
    main()
