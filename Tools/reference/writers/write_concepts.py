"""Writes `concepts/`: conditional relevance maps, relevance of channels, and reference inputs, by zennit-crp in float64.

    python -m writers.write_concepts --scratch FOLDER [--networks] [NAME...]

`--networks` first exports the networks. Batch normalization is merged into the preceding convolutions, and residual sums are modules.
Needs requirements-concepts.txt.
"""

import argparse
import contextlib
import importlib.metadata
import io
import json
import pathlib
import tempfile
import warnings

import numpy as np
import onnx
import torch
import zennit.composites
from crp.attribution import CondAttribution
from crp.concepts import ChannelConcept
from crp.helper import load_maximization
from crp.visualization import FeatureVisualization

from onnx_files import to_float32
from runtime import run
from storage import pack, save_map
from writers.concept_cases import CASES, ORDERS, REFERENCES
from writers.concept_networks import CLASSES, COARSE, FINE, FOLDER, INPUTS, NETWORKS, SQUARES, complete, export, inputs, torch_network
from writers.write_composites import COMPOSITES, Fold, assignments, bound, composite, digits, distance, fold_and_sum, noise

RULES = ["EpsilonPlusFlat", "EpsilonGammaBox"]
FOLDING = {"small": None, "vgg16bn": Fold, "resnet18": fold_and_sum}
TOP = 8
# The definition of `inputs` in concept_networks.py, for readers of the index.
MADE = (
    "input i = P + N, added in single precision. b = coarse (i + 1) / count in double precision. P: the seeded tensor [3, squares, squares] "
    "with seed input_seed + 2 i, low -b, high b, each value repeated over side/squares rows and columns. N: the seeded tensor "
    "[3, side, side] with seed input_seed + 2 i + 1, low -fine, high fine.")
# Neighbors in an order must differ by more than this, relative to the larger one.
GAP = 1e-4
# The largest errors of a map in single precision and with noise. With larger ones, the map is not suitable for comparison within 1e-3.
CONDITION = 3e-4


class WholeMaps(CondAttribution):
    """Maps by channel: zennit-crp sums over the channels of the input by default."""

    def heatmap_modifier(self, data, on_device=None):
        return data.grad.detach().clone()


class Crp:
    """A network with a composite."""

    def __init__(self, name, path, kind, dtype):
        self.network = torch_network(name, path).to(dtype)
        self.attribution = WholeMaps(self.network)
        self.kind, self.folding, self.dtype = kind, FOLDING[name], dtype

    def rules(self):
        return composite(self.kind, {}, self.folding, self.dtype)

    def __call__(self, image, target, conditions=None, exclusive=True, record=()):
        """zennit-crp's result for one image."""
        data = torch.from_numpy(image[None]).to(self.dtype).requires_grad_()
        return self.attribution(
            data, [{"y": [target]} | (conditions or {})], self.rules(), record_layer=list(record), exclude_parallel=exclusive)


def channel_sums(tensor):
    return tensor[0].flatten(1).sum(1) if tensor.ndim == 4 else tensor[0]


def nodes_of(path):
    """For each module, the ONNX node that computes its output: (name, tensor)."""
    found = {}
    for node in onnx.load(str(path), load_external_data=False).graph.node:
        parts = []                                          # of `/layer4/layer4.0/downsample/downsample.0/Conv`
        for scope in node.name.split("/")[1:-1]:
            if parts and scope.startswith(parts[-1] + "."):
                parts.pop()
            parts.append(scope)
        names = ".".join(parts).split(".")
        for length in range(1, len(names) + 1):             # the output of a block is the output of its last node
            found[".".join(names[:length])] = (node.name, node.output[0])
    return found


def write_cases(name, path, image, target, entry):
    """Writes the maps of all cases, and returns their entries for the index."""
    nodes = nodes_of(path)
    crps = {kind: Crp(name, path, kind, torch.float64) for kind in RULES}
    modules = list(dict.fromkeys(m for case in CASES[name] for m in [m for m, _ in case.conditions] + [case.below] if m))
    modules += [m for m in [REFERENCES[name]] if m not in modules]
    whole = {kind: crps[kind](image, target, record=modules) for kind in RULES}
    relevance = {kind: {m: channel_sums(whole[kind].relevances[m]) for m in modules} for kind in RULES}
    entry["layers"] = []
    for module in modules:
        activation = whole[RULES[0]].activations[module]
        layer = {"module": module, "node": nodes[module][0], "tensor": nodes[module][1], "shape": list(activation.shape[1:])}
        layer["relevance"] = {kind: listed(relevance[kind][module]) for kind in RULES}
        layer["activation_sum"] = listed(channel_sums(activation))
        layer["activation_maximum"] = listed(activation[0].flatten(1).max(1)[0] if activation.ndim == 4 else activation[0])
        entry["layers"].append(layer)

    entry["maps"] = []
    for kind in RULES:
        single = Crp(name, path, kind, torch.float32)
        for case in [None] + CASES[name]:
            conditions, below = {}, None
            if case:
                below = case.below
                for module, ranks in case.conditions:
                    order = relevance[kind][module].abs().argsort(descending=True)
                    conditions[module] = sorted(int(order[rank]) for rank in ranks)
            record = [below] if below else []
            ways = {way: crps[kind](image, target, conditions, way, record) for way in ((True, False) if case else (True,))}
            alike = len(ways) == 1 or bool(torch.equal(ways[True].heatmap, ways[False].heatmap))
            for way, found in ways.items():
                if alike and not way:
                    continue
                map64 = found.heatmap
                with noise(single.network):
                    noisy = single(image, target, conditions, way).heatmap
                errors = distance(single(image, target, conditions, way).heatmap, map64), distance(noisy, map64)
                label = (case.name if case else "all") + ("" if alike else ".exclusive" if way else ".open")
                file = save_map(FOLDER, f"{name}.{kind}.{label}", map64[0].numpy())
                row = {"file": file, "table": kind, "target": target}
                row["conditions"] = [
                    {"module": m, "node": nodes[m][0], "tensor": nodes[m][1], "channels": c} for m, c in conditions.items()]
                row["exclusive"] = [True, False] if alike else [way]
                row |= {"sum": digits(map64.sum().item()), "l2": digits(map64.norm().item())}
                if below and (alike or way):
                    row["below"] = {"node": nodes[below][0], "tensor": nodes[below][1]}
                    row["below"]["relevance"] = listed(channel_sums(found.relevances[below]))
                row |= {"float32": bound(max(errors[0], 1e-9), 10), "noise": bound(max(errors[1], 1e-9))}
                entry["maps"].append(row)
                note = "" if max(errors) <= CONDITION else "  ILL-CONDITIONED"
                print(f"{file}: {conditions}, sum {row['sum']:.6g}, float32 {errors[0]:.1e}, noise {errors[1]:.1e}{note}", flush=True)


def listed(values, places=9):
    return [float(f"{value:.{places}g}") for value in values.tolist()]


class Labeled(torch.utils.data.Dataset):
    def __init__(self, images, labels, dtype):
        self.images, self.labels = torch.from_numpy(images).to(dtype), labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], int(self.labels[index])


def references(crp, layer, order, images, labels):
    """(indices, values, positions) of every channel over all inputs, [channels, at most 40 inputs], by zennit-crp's index."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        study = FeatureVisualization(
            crp.attribution, Labeled(images, labels, crp.dtype), {layer: ChannelConcept()}, max_target=order.target,
            abs_norm=order.normed, path=folder)
        study.run(crp.rules(), 0, len(images), batch_size=16)
        kept = study.RelMax if order.mode == "relevance" else study.ActMax
        return [np.array(array).T.copy() for array in load_maximization(kept.PATH, layer)]


def near(values):
    """The channels with two almost equal values among the stored values and the next one."""
    first = values[:, :TOP + 1]
    gaps = (first[:, :-1] - first[:, 1:]) / np.maximum(np.abs(first[:, :-1]), np.abs(first[:, 1:])).clip(1e-300)
    return np.flatnonzero((gaps <= GAP).any(1)).tolist()


def orders_of(name, path, images, predicted, own):
    """For each order, the indices, values and positions: in double precision, in single precision, and in single precision with noise."""
    found = []
    for order in ORDERS:
        labels = {"predicted": predicted, "own": own, None: predicted}[order.labels]
        networks = [Crp(name, path, order.composite or RULES[0], dtype) for dtype in (torch.float64, torch.float32)]
        runs = [references(crp, REFERENCES[name], order, images, labels) for crp in networks]
        with noise(networks[1].network):
            runs.append(references(networks[1], REFERENCES[name], order, images, labels))
        found.append(runs)
    return found


def write_orders(name, path, images, predicted, own, entry):
    entry["references"] = {"layer": next(l["node"] for l in entry["layers"] if l["module"] == REFERENCES[name]), "orders": []}
    for order, (double, *others) in zip(ORDERS, orders_of(name, path, images, predicted, own)):
        indices, values, positions = (array[:, :TOP] for array in double)
        close = near(double[1])
        sure = np.setdiff1d(np.arange(len(indices)), close)
        if any(not np.array_equal(indices[sure], other[0][sure, :TOP]) for other in others):
            raise SystemExit(f"{name} {order.name}: another order in single precision or with noise")
        # Channels in which two positions are almost equal.
        unlike = np.any([(positions != other[2][:, :TOP]).any(1) for other in others], axis=0)
        moved = sorted(set(np.flatnonzero(unlike).tolist()) - set(close))
        row = {"name": order.name, "mode": order.mode, "by": order.target, "share": order.normed, "labels": order.labels}
        row |= {"table": order.composite, "near": close, "unsure_positions": moved, "indices": indices.tolist()}
        row |= {"values": [listed(line, 7) for line in values], "positions": positions.tolist()}
        entry["references"]["orders"].append(row)
        print(f"{name} {order.name}: near ties in channels {close}, positions unsure in {moved}", flush=True)


def write_network(name, scratch):
    path = complete(name, scratch)
    side, seed = NETWORKS[name].side, NETWORKS[name].input_seed
    images = inputs(side, seed)
    logits = run(path, images)
    with torch.no_grad():
        double = torch_network(name, path).double()(torch.from_numpy(images).double()).numpy()
    error = np.abs(logits - double).max() / np.abs(double).max()
    print(f"{name}: ONNX Runtime's logits differ by {error:.1e} of the largest", flush=True)
    if error > 1e-5:
        raise SystemExit(f"{name}: logits differ from ONNX Runtime's")
    predicted = double.argmax(1)
    own = np.arange(INPUTS) % CLASSES
    np.save(FOLDER / f"{name}.logits.npy", to_float32(double))
    np.save(FOLDER / f"{name}.input.npy", images[0])
    entry = {"network": name, "side": side, "input_seed": seed, "input": f"{name}.input.npy", "logits": f"{name}.logits.npy"}
    entry |= {"predicted": predicted.tolist(), "own": own.tolist(), "rules": {}}
    for kind in RULES:
        rules, first = assignments(torch_network(name, path), kind, {}, FOLDING[name])
        entry["rules"][kind] = {"first": first, "counts": rules}
    write_cases(name, path, images[0], int(predicted[0]), entry)
    write_orders(name, path, images, predicted, own, entry)
    return entry


def compact(value, depth):
    """JSON with a line for each map, layer and order."""
    pad = "  " * depth
    if isinstance(value, dict) and depth < 3 and any(isinstance(v, (dict, list)) for v in value.values()):
        rows = [f"{pad}  {json.dumps(key)}: {compact(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{pad}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"{pad}  {json.dumps(item)}" for item in value) + f"\n{pad}]"
    return json.dumps(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", required=True, type=pathlib.Path, help="a folder for the generated weights")
    parser.add_argument("--networks", action="store_true", help="export the networks first")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NETWORKS))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    facts = {package: importlib.metadata.version(package) for package in ("zennit-crp", "zennit")}
    facts |= {"composites": {kind: COMPOSITES[kind] for kind in RULES}, "top": TOP, "gap": GAP}
    facts["inputs"] = {"count": INPUTS, "squares": SQUARES, "coarse": COARSE, "fine": FINE, "made": MADE}
    (FOLDER / "index.json").write_text(compact(facts, 0) + "\n")
    for name in arguments.names or NETWORKS:
        if arguments.networks:
            export(name)
        pack(FOLDER, {f"{name}.json": compact(write_network(name, arguments.scratch), 0) + "\n"})


if __name__ == "__main__":
    main()
