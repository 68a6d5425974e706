"""Runs models in ONNX Runtime for the fixtures."""

import onnxruntime


def run_all(model, values):
    """All outputs of a model (a path or bytes) for one array, or for one array per input."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    values = values if isinstance(values, (list, tuple)) else [values]
    return session.run(None, {entry.name: value for entry, value in zip(session.get_inputs(), values)})


def run(model, values):
    """The first output."""
    return run_all(model, values)[0]
