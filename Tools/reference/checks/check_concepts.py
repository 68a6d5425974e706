"""Recompute `concepts/` from the ONNX files, the index and the definitions, in float64, without zennit-crp, Zennit or torch modules.

    python -m checks.check_concepts --scratch FOLDER [NAME...]

The graph is walked node by node. A condition sets the relevance of all other channels of a tensor to zero; an exclusive one lets only what
passed its tensor go on. Everything must agree to 1e-6.
"""

import argparse
import json
import pathlib

import numpy as np
import onnx
import torch
import torch.nn.functional as functional

from onnx_files import load_weights
from pictures import IMAGENET_BOX
from writers.concept_networks import FOLDER, NETWORKS, complete, inputs

TOLERANCE = 1e-6
STABILIZER = 1e-6
GAMMA = 0.25


def stable(z):
    return z + torch.where(z >= 0, STABILIZER, -STABILIZER)


def quotient(relevance, z):
    return relevance / stable(z)


class Convolution:
    def __init__(self, weight, bias, stride, padding):
        self.weight, self.bias, self.stride, self.padding = weight, bias, stride, padding

    def apply(self, x, weight, bias=None):
        return functional.conv2d(x, weight, bias, self.stride, self.padding)

    def back(self, shape, weight, s):
        return torch.nn.grad.conv2d_input(shape, weight, s, self.stride, self.padding)

    def forward(self, x):
        return self.apply(x, self.weight, self.bias)

    def flat(self, x, relevance):
        ones = torch.ones_like(self.weight)
        return self.back(x.shape, ones, quotient(relevance, self.apply(torch.ones_like(x), ones)))

    def box(self, x, relevance):
        low, high = (torch.tensor(side, dtype=x.dtype).reshape(1, 3, 1, 1).expand(x.shape) for side in IMAGENET_BOX)
        positive, negative = self.weight.clamp(min=0), self.weight.clamp(max=0)
        s = quotient(relevance, self.apply(x, self.weight) - self.apply(low, positive) - self.apply(high, negative))
        parts = ((x, self.weight), (-low, positive), (-high, negative))
        return sum(operand * self.back(x.shape, weight, s) for operand, weight in parts)

    def signed(self, x, sign):
        """Pairs of operand and weight whose products are all of the contributions with this sign."""
        up, down, positive, negative = x.clamp(min=0), x.clamp(max=0), self.weight.clamp(min=0), self.weight.clamp(max=0)
        return ((up, positive), (down, negative)) if sign > 0 else ((up, negative), (down, positive))

    def share(self, parts, relevance, bias):
        z = sum(self.apply(operand, weight) for operand, weight in parts) + bias.reshape(1, -1, 1, 1)
        s = quotient(relevance, z)
        return sum(operand * self.back(operand.shape, weight, s) for operand, weight in parts)

    def plus(self, x, relevance):
        return self.share(self.signed(x, 1), relevance, self.bias.clamp(min=0))

    def gamma(self, x, relevance):
        result, z = 0, self.forward(x)
        for sign in (1, -1):
            more = tuple((operand, GAMMA * weight) for operand, weight in self.signed(x, sign))
            bias = self.bias + GAMMA * (self.bias.clamp(min=0) if sign > 0 else self.bias.clamp(max=0))
            result = result + self.share(((x, self.weight),) + more, torch.where(z * sign > 0, relevance, 0), bias)
        return result


CONVOLUTIONS = {"EpsilonPlusFlat": ("flat", "plus"), "EpsilonGammaBox": ("box", "gamma")}


class Graph:
    """An ONNX file with batch normalization merged into the convolutions before it."""

    def __init__(self, path):
        model, weights = load_weights(path)
        self.weights = {name: torch.from_numpy(array.astype(np.float64)) for name, array in weights.items()}
        self.output = model.graph.output[0].name
        self.nodes, self.layers, renamed = [], {}, {}
        for node in model.graph.node:
            operands = [renamed.get(name, name) for name in node.input]
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "BatchNormalization":
                layer = self.layers[operands[0]]
                scale, shift, mean, variance = (self.weights[name] for name in operands[1:])
                factor = scale / torch.sqrt(variance + attributes["epsilon"])
                layer.weight = layer.weight * factor.reshape(-1, 1, 1, 1)
                layer.bias = (layer.bias - mean) * factor + shift
                renamed[node.output[0]] = operands[0]
                continue
            if node.op_type == "Conv":
                weight = self.weights[operands[1]]
                bias = self.weights[operands[2]] if len(operands) > 2 else torch.zeros(len(weight), dtype=weight.dtype)
                pads = attributes.get("pads", [0] * 4)
                assert pads[:2] == pads[2:] and attributes.get("group", 1) == 1 and set(attributes.get("dilations", [1])) == {1}
                self.layers[node.output[0]] = Convolution(weight, bias, attributes["strides"], pads[:2])
            self.nodes.append((node.op_type, operands, node.output[0], attributes))

    def forward(self, x):
        values = {"input": x}
        for kind, names, result, attributes in self.nodes:
            x = values[names[0]]
            if kind == "Conv":
                y = self.layers[result].forward(x)
            elif kind == "Relu":
                y = x.clamp(min=0)
            elif kind == "Add":
                y = x + values[names[1]]
            elif kind == "MaxPool":
                pads = attributes.get("pads", [0] * 4)
                y = functional.max_pool2d(x, attributes["kernel_shape"], attributes["strides"], pads[:2])
            elif kind == "GlobalAveragePool":
                y = x.mean((2, 3), keepdim=True)
            elif kind == "Flatten":
                y = x.flatten(1)
            elif kind == "Gemm":
                y = x @ self.weights[names[1]].T + self.weights[names[2]]
            else:
                raise SystemExit(f"{kind}: no meaning")
            values[result] = y
        return values

    def back(self, kind, names, result, attributes, values, relevance, table):
        """The relevance of each live operand of one node."""
        x = values[names[0]]
        if kind == "Conv":
            return [getattr(self.layers[result], CONVOLUTIONS[table][names[0] != "input"])(x, relevance)]
        if kind == "Relu":
            return [relevance]
        if kind == "Add":
            s = quotient(relevance, values[result])
            return [x * s, values[names[1]] * s]
        if kind == "MaxPool":
            pads, (rows, columns) = attributes.get("pads", [0] * 4), x.shape[2:]
            winners = functional.max_pool2d(x, attributes["kernel_shape"], attributes["strides"], pads[:2], return_indices=True)[1]
            flat = torch.zeros(*x.shape[:2], rows * columns, dtype=x.dtype)
            return [flat.scatter_add(2, winners.flatten(2), relevance.flatten(2)).reshape(x.shape)]
        if kind == "GlobalAveragePool":
            return [x / (x.shape[2] * x.shape[3]) * quotient(relevance, values[result])]
        if kind == "Flatten":
            return [relevance.reshape(x.shape)]
        weight = self.weights[names[1]]
        return [x * (quotient(relevance, values[result]) @ weight)]

    def walk(self, values, start, relevance, table, masks, watched=()):
        """From the tensor `start` down: the relevance of `watched` tensors and of the input, after masks."""
        pending, found = {start: relevance}, {}
        for kind, names, result, attributes in reversed(self.nodes):
            if result not in pending:
                continue
            relevance = pending.pop(result)
            if result in masks:
                kept = torch.zeros_like(relevance)
                kept[:, masks[result]] = relevance[:, masks[result]]
                relevance = kept
            if result in watched:
                found[result] = relevance
            for name, part in zip(names, self.back(kind, names, result, attributes, values, relevance, table)):
                pending[name] = pending[name] + part if name in pending else part
        return found | {"input": pending["input"]}

    def explain(self, values, targets, table, masks, exclusive, watched=()):
        logits = values[self.output]
        seed = torch.zeros_like(logits)
        rows = torch.arange(len(logits))
        seed[rows, targets] = logits[rows, targets]
        start, relevance = self.output, seed
        if exclusive:
            for tensor in masks:                            # from the output down
                relevance = self.walk(values, start, relevance, table, masks, (tensor,))[tensor]
                start = tensor
        return self.walk(values, start, relevance, table, masks, watched)


def channels(relevance):
    return relevance.flatten(2).sum(2) if relevance.ndim == 4 else relevance


def distance(found, expected):
    expected = torch.as_tensor(np.asarray(expected, dtype=np.float64))
    return ((found - expected).norm() / expected.norm()).item()


def check_maps(graph, entry, worst):
    image = torch.from_numpy(np.load(FOLDER / entry["input"])[None].astype(np.float64))
    values = graph.forward(image)
    for row in entry["maps"]:
        masks = {condition["tensor"]: condition["channels"] for condition in row["conditions"]}
        below = row.get("below")
        for exclusive in row["exclusive"]:
            found = graph.explain(values, [row["target"]], row["table"], masks, exclusive, (below["tensor"],) if below else ())
            worst["maps"] = max(worst.get("maps", 0), distance(found["input"][0], np.load(FOLDER / row["file"])))
            worst["sums"] = max(worst.get("sums", 0), abs(found["input"].sum().item() - row["sum"]) / row["l2"])
            if below:
                sums = channels(found[below["tensor"]])[0]
                worst["below"] = max(worst.get("below", 0), distance(sums, below["relevance"]))
    target = entry["maps"][0]["target"]
    for layer in entry["layers"]:
        activation = values[layer["tensor"]]
        worst["activations"] = max(
            worst.get("activations", 0), distance(channels(activation)[0], layer["activation_sum"]),
            distance(activation.flatten(2).max(2)[0][0] if activation.ndim == 4 else activation[0], layer["activation_maximum"]))
        for table, expected in layer["relevance"].items():
            found = graph.explain(values, [target], table, {}, False, (layer["tensor"],))[layer["tensor"]]
            worst["channels"] = max(worst.get("channels", 0), distance(channels(found)[0], expected))


def check_orders(graph, entry, worst):
    values = graph.forward(torch.from_numpy(inputs(entry["side"], entry["input_seed"]).astype(np.float64)))
    worst["logits"] = distance(values[graph.output], np.load(FOLDER / entry["logits"]))
    node = entry["references"]["layer"]
    (tensor,) = [layer["tensor"] for layer in entry["layers"] if layer["node"] == node]
    for order in entry["references"]["orders"]:
        studied = values[tensor]
        if order["mode"] == "relevance":
            studied = graph.explain(values, entry[order["labels"]], order["table"], {}, False, (tensor,))[tensor]
        studied = studied.flatten(2)
        strength = studied.sum(2) if order["by"] == "sum" else studied.max(2)[0]
        if order["share"]:
            strength = strength / strength.abs().sum(1, keepdim=True)
        ranked = strength.T.argsort(dim=1, descending=True, stable=True)[:, : len(order["indices"][0])]
        sure = [channel for channel in range(len(ranked)) if channel not in order["near"]]
        if ranked[sure].tolist() != [order["indices"][channel] for channel in sure]:
            raise SystemExit(f"{entry['network']} {order['name']}: another order")
        positions = studied.argmax(2).T.gather(1, ranked)
        placed = [channel for channel in sure if channel not in order["unsure_positions"]]
        if positions[placed].tolist() != [order["positions"][channel] for channel in placed]:
            raise SystemExit(f"{entry['network']} {order['name']}: other positions")
        expected = np.array(order["values"])
        worst["orders"] = max(worst.get("orders", 0), distance(strength.T.gather(1, ranked)[sure], expected[sure]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", required=True, type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NETWORKS))
    arguments = parser.parse_args()
    for name in arguments.names or NETWORKS:
        graph, entry, worst = Graph(complete(name, arguments.scratch)), json.loads((FOLDER / f"{name}.json").read_text()), {}
        check_maps(graph, entry, worst)
        if "references" in entry:
            check_orders(graph, entry, worst)
        print(f"{name}: " + ", ".join(f"{what} {error:.1e}" for what, error in worst.items()), flush=True)
        if max(worst.values()) > TOLERANCE:
            raise SystemExit(f"{name}: more than {TOLERANCE:g}")


if __name__ == "__main__":
    main()
