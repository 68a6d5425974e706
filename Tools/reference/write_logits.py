"""Write the input pictures and ONNX Runtime's logits of every network on its picture.

    python write_logits.py --scratch FOLDER [NAME...]
"""

import argparse

import numpy as np
import onnxruntime

from export_networks import NETWORKS
from onnx_files import FIXTURES, complete_model, to_float32
from pictures import chelsea


def run(model, values):
    """The first output of the model at path `model` (or in bytes) for one array, or one per input."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    values = values if isinstance(values, (list, tuple)) else [values]
    return session.run(None, {entry.name: value for entry, value in zip(session.get_inputs(), values)})[0]


def write_logits(names, scratch):
    (FIXTURES / "inputs").mkdir(parents=True, exist_ok=True)
    for name in names:
        side = NETWORKS[name][4]
        picture = chelsea(side)
        np.save(FIXTURES / "inputs" / f"chelsea-{side}.npy", picture)
        logits = to_float32(run(complete_model(name, scratch), picture))
        np.save(FIXTURES / "networks" / name / "logits.npy", logits)
        best = int(logits[0].argmax())
        print(f"{name}: class {best}, logit {logits[0, best]:.6g}, least {logits.min():.6g}, spread {logits.std():.3g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", required=True, help="folder for the generated weights (up to 2 GB)")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    write_logits(arguments.names or list(NETWORKS), arguments.scratch)


if __name__ == "__main__":
    main()
