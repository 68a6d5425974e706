"""Writes two vision transformers of torchvision, exported by both exporters without their weights, and reference maps.

    python -m writers.write_transformers [NAME...]

`small_vit` has three blocks and images of 48 × 48; `vit_b_16` is torchvision's. Weights are seeded, no parameter has its initial value, and the head
is not zero. Both exporters store the weights in the same order, so all files contain the same network, and a map is valid for all of them. Maps are
computed in double precision by `oracles/oracle_transformer.py`; single precision measures how well conditioned each map is.
`checks/check_transformers.py` compares them with LXT.
"""

import argparse
import io
import json
import math
import pathlib
import tempfile
import warnings

import numpy as np
import onnx
import torch
import torchvision

import storage
from onnx_files import FIXTURES, LARGEST_INLINE_COUNT, complete_model, to_float32, write_described
from oracles.oracle_transformer import TABLES, Transformer
from images import chelsea
from runtime import run
from seeded import seeded_values
from storage import save_map

FOLDER = FIXTURES / "transformers"
LOGITS_TOLERANCE = 1e-4
SMALL = dict(image_size=48, patch_size=8, num_layers=3, num_heads=4, hidden_dim=32, mlp_dim=64, num_classes=10)
# name: (how it is made, side of the image, first seed)
NETWORKS = {
    "small_vit": (lambda: torchvision.models.VisionTransformer(**SMALL), 48, 71_000),
    "vit_b_16": (lambda: torchvision.models.vit_b_16(weights=None), 224, 72_000),
}
# The files of each network: the suffix of the name, and the opset (None: the exporter's default). Attention exists since opset 23.
EXPORTS = {
    "small_vit": {"torchscript": 17, "dynamo": None, "attention": 23},
    "vit_b_16": {"torchscript": 14, "dynamo": None},
}
# The maps of each network: tables, and the number of top classes. Maps of the large network are sums over the channels in half precision.
MAPS = {"small_vit": (("AttnLRP", "CP-LRP", "gamma", "gamma-lxt"), 2), "vit_b_16": (("AttnLRP", "CP-LRP", "gamma", "gamma-lxt"), 1)}
SHIFTS = 0.3
TOLERANCE = 2e-3


def value_range(name, shape):
    """The range of a parameter by its name: uniform with variance 1/fan-in for weights; larger for attention, which makes it sharp."""
    if "ln" in name.split(".")[-2:-1][0] or ".ln_" in name:
        return (0.5, 1.5) if name.endswith("weight") else (-SHIFTS, SHIFTS)
    if len(shape) < 2 or name in ("class_token", "encoder.pos_embedding"):
        return (-SHIFTS, SHIFTS)
    bound = math.sqrt(3 / math.prod(shape[1:])) * (1.5 if name.endswith("in_proj_weight") else 1)
    return (-round(bound, 6), round(bound, 6))


def is_transposed(name):
    """Whether exporters store a parameter transposed, for MatMul."""
    return name.endswith("in_proj_weight") or name.endswith(("mlp.0.weight", "mlp.3.weight"))


@torch.no_grad()
def network(name):
    """The seeded network, and the seed and range of each parameter."""
    build, _, first_seed = NETWORKS[name]
    module, drawn = build().eval(), {}
    for seed, (key, parameter) in enumerate(module.named_parameters(), first_seed):
        shape = tuple(parameter.shape)
        drawn[key] = (seed, *value_range("." + key, shape))
        values = seeded_values(seed, parameter.numel(), *drawn[key][1:])
        parameter.copy_(torch.from_numpy(values.reshape(shape[::-1]).T.copy() if is_transposed(key) else values.reshape(shape)))
    return module, drawn


def export(module, side, exporter, opset):
    image = torch.zeros(1, 3, side, side)
    options = dict(input_names=["input"], output_names=["logits"], opset_version=opset, verbose=False)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.onnx"
        if exporter != "torchscript":
            torch.onnx.export(module, (image,), path, dynamo=True, external_data=False, **options)
            return onnx.load(path)
        buffer = io.BytesIO()
        torch.onnx.export(module, (image,), buffer, dynamo=False, **options)
        return onnx.load_from_string(buffer.getvalue())


def matched(model, module, drawn):
    """For each initializer, the seed and range of its parameter."""
    stored = {}
    for key, parameter in module.named_parameters():
        values = parameter.detach().numpy()
        stored[(values.T if is_transposed(key) else values).tobytes()] = drawn[key]
    found = {}
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.size > LARGEST_INLINE_COUNT:
            found[tensor.name] = stored[array.tobytes()]
    return found


def write_networks(name, scratch):
    """Writes all exports, their logits, and the image. Returns the module."""
    side = NETWORKS[name][1]
    module, drawn = network(name)
    image = chelsea(side)
    storage.save_input(f"inputs/chelsea-{side}.npy", image)
    with torch.no_grad():
        expected = module(torch.from_numpy(image)).numpy()
    for exporter, opset in EXPORTS[name].items():
        model = export(module, side, exporter, opset)
        folder = FIXTURES / "networks" / f"{name}-{exporter}"
        write_described(model, folder, drawn=matched(model, module, drawn))
        logits = to_float32(run(complete_model(folder.name, scratch), image))
        error = np.abs(logits - expected).max() / np.abs(expected).max()
        if not error <= LOGITS_TOLERANCE:
            raise SystemExit(f"{folder.name}: logits differ from PyTorch's by {error:.2g} of the largest")
        np.save(folder / "logits.npy", logits)
        print(f"{folder.name}: logits within {error:.1e}, best {logits.argmax()}, {logits.max():.5g}, spread {logits.std():.3g}")
    return module


def distance(found, expected):
    return ((found.double() - expected).norm() / expected.norm()).item()


def transformer(name, module, table, dtype):
    """A forward pass, after converting the module to `dtype`."""
    return Transformer(module, storage.load(FIXTURES / "inputs" / f"chelsea-{NETWORKS[name][1]}.npy"), TABLES[table], dtype)


def maps_of(name, module, table, targets, dtype=torch.float64):
    """For each target, the score, the map, and the relevance that constants absorb (for the table that conserves the rest)."""
    found = transformer(name, module, table, dtype)
    taken = {target: found.absorbed(target) if table == "CP-LRP" else None for target in targets}
    return {target: (found.logits[target].item(), found.map(target), taken[target]) for target in targets}


def write_maps(name, module):
    """The maps of a network, and their entries for the index."""
    tables, count = MAPS[name]
    logits = np.load(FIXTURES / "networks" / f"{name}-dynamo" / "logits.npy")[0]
    targets = [int(target) for target in logits.argsort()[::-1][:count]]
    entries = []

    def write(table, target, values, single, **facts):
        stem = f"{name}.{table}" if target is None else f"{name}.{table}.class{target}"
        large = name != "small_vit" and values.shape[0] == 3
        kept = values.sum(0, keepdim=True) if large else values
        file = save_map(FOLDER, stem, kept.numpy())
        entry = {"file": file, "networks": [f"{name}-{exporter}" for exporter in EXPORTS[name]]}
        entry |= {"input": f"inputs/chelsea-{NETWORKS[name][1]}.npy", "table": table, "class": target}
        entry |= {"channels": "sum" if large else "all"} | facts
        entries.append(entry | {"sum": values.sum().item(), "float32": float(f"{distance(single, values):.0e}"), "tolerance": TOLERANCE})
        print(f"{file}: sum {values.sum():.6g}, {facts}, float32 within {distance(single, values):.1e}", flush=True)

    for table in tables:
        single = maps_of(name, module, table, targets, torch.float32)
        double = maps_of(name, module, table, targets)
        for target in targets:
            score, values, taken = double[target]
            facts = {"score": score, "parameters": TABLES[table]._asdict()}
            if taken:
                rest = score - values.sum().item() - sum(taken.values())
                if abs(rest) > 1e-9 * abs(score):
                    raise SystemExit(f"{name}: map and constants under {table} miss {rest:.2g} of the logit")
                facts["absorbed"] = taken
            write(table, target, values, single[target][1], **facts)
    grids = {}
    for dtype in (torch.float32, torch.float64):
        found = transformer(name, module, "gradient", dtype)
        grids[dtype] = {("rollout", None): found.rollout()}
        for target in targets:
            maps = {"gradient-attention": found.gradient_attention(target)} | found.activation_maps(target)
            grids[dtype] |= {(method, target): values for method, values in maps.items()}
    for (method, target), values in grids[torch.float64].items():
        write(method, target, values, grids[torch.float32][method, target])
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NETWORKS))
    names = parser.parse_args().names or list(NETWORKS)
    torch.set_num_threads(2)
    warnings.filterwarnings("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    index = FOLDER / "index.json"
    entries = json.loads(index.read_text())["maps"] if index.exists() else []
    for name in names:
        for old in FOLDER.glob(f"{name}.*.np?"):
            old.unlink()
        with tempfile.TemporaryDirectory() as scratch:
            module = write_networks(name, scratch)
        entries = [entry for entry in entries if not entry["file"].startswith(name + ".")] + write_maps(name, module)
    entries.sort(key=lambda entry: list(NETWORKS).index(entry["file"].split(".")[0]))
    rows = ",\n".join("    " + json.dumps(entry) for entry in entries)
    index.write_text(f'{{\n  "maps": [\n{rows}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
