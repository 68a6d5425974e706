"""An independent oracle for LRP and CLRP on ONNX graphs: float64, slow, from the definitions.

    oracle = Oracle("model.onnx", image, box)
    signed, relevance = oracle.explain(target, method="clrp1", table="default")

Single precision and added noise measure how well conditioned a result is.
"""

import onnx
import torch
from onnx import numpy_helper

from oracles.oracle_forward import OPERATORS, attributes_of, constant_tensor
from oracles.oracle_rules import Step, adjoint, quotient, rule_for, z_plus

WEIGHTED = ("Conv", "Gemm", "MatMul")
SHAPING = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Relu", "Add")
POOLING = ("GlobalAveragePool", "AveragePool", "ReduceMean")


def negated_row(unit):
    """z⁺ with the negated weights of one unit: a channel of a convolution, or an output of a matrix product."""

    def rule(step):
        weight = step.inputs[1] * step.attributes.get("alpha", 1.0)
        row = (unit,) if step.operator == "Conv" or step.attributes.get("transB", 0) else (slice(None), unit)
        weight = weight.clone()
        weight[row] = -weight[row]
        return z_plus(step, weight)

    return rule


class Oracle:
    """A network and an image. The forward pass is computed once; then any target can be explained."""

    def __init__(self, path, image, box, dtype=torch.float64, noise=0.0, draw=0):
        model = onnx.load(str(path))
        self.dtype, self.noise, self.draw, self.box = dtype, noise, draw, box
        self.nodes = list(model.graph.node)
        self.values = {t.name: self._constant(numpy_helper.to_array(t)) for t in model.graph.initializer}
        (self.input,) = [i.name for i in model.graph.input if i.name not in self.values]
        self.values[self.input] = torch.from_numpy(image).to(dtype)
        self.absorbed = {}
        self.live = {self.input}
        self.producer = {name: node for node in self.nodes for name in node.output}
        with torch.no_grad():
            self._run()
        self.logits = self._before_softmax(model.graph.output[0].name)

    def _constant(self, array):
        tensor = constant_tensor(array)
        return tensor.to(self.dtype) if tensor.is_floating_point() else tensor

    def compute(self, node, inputs):
        """The node's output. With `noise`, the output of a convolution has an error of about that share of its largest value."""
        output = OPERATORS[node.op_type](attributes_of(node), *inputs)
        if not self.noise or node.op_type != "Conv":
            return output
        generator = torch.Generator().manual_seed(1000 * self.draw + self.nodes.index(node))
        error = torch.randn(output.shape, generator=generator, dtype=output.dtype)
        return output + self.noise * output.detach().abs().max() * error

    def _run(self):
        for node in self.nodes:
            inputs = [self.values[name] if name else None for name in node.input]
            output = self.compute(node, inputs)
            self.values[node.output[0]] = output.to(self.dtype) if output.is_floating_point() else output
            if self.live.intersection(node.input):
                self.live.add(node.output[0])

    def _before_softmax(self, name):
        """The tensor of the logits: the input of a softmax at the end of the graph, or else the graph's output."""
        final = self.producer[name]
        while final.op_type in SHAPING and final.input[0] in self.producer:
            final = self.producer[final.input[0]]
        return final.input[0] if final.op_type in ("Softmax", "LogSoftmax") else name

    def score(self, target):
        return self.values[self.logits].flatten()[target].item()

    def best(self, count=1):
        return self.values[self.logits].flatten().topk(count).indices.tolist()

    # The walk

    def step(self, node, relevance):
        """The backward step of `node`. The first convolution is the one that no weighted layer precedes in the data flow."""
        inputs = [self.values[name] if name else None for name in node.input]
        live = [name in self.live for name in node.input]
        output = self.values[node.output[0]]
        if node.op_type in WEIGHTED:
            inputs[1] = self._signed(node, inputs[1])
        step = Step(node.op_type, attributes_of(node), inputs, live, output, relevance.reshape(output.shape))
        if node.op_type == "Conv" and not self._weighted_before(node.input[0]):
            if node.input[0] != self.input:
                raise ValueError("the oracle cannot propagate the pixel box through nodes before the first convolution")
            step.box = self.box
        return step

    def _signed(self, node, weight):
        """The weights for a rule: with the signs of the scales of a normalization that is the only reader of the output."""
        users = [user for user in self.nodes if node.output[0] in user.input]
        if len(users) != 1 or users[0].op_type != "BatchNormalization":
            return weight
        if node.op_type != "Conv":
            raise ValueError("the oracle supports normalization only after convolutions")
        sign = torch.where(self.values[users[0].input[1]] < 0, -1.0, 1.0).to(weight.dtype)
        return weight * sign.reshape([-1] + [1] * (weight.ndim - 1))

    def _weighted_before(self, name):
        pending, seen = [name], set()
        while pending:
            node = self.producer.get(pending.pop())
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            if node.op_type in WEIGHTED:
                return True
            pending.extend(name for name in node.input if name in self.live)
        return False

    def propagate(self, name, relevance, table, rules=None):
        """Propagates relevance from tensor `name` to the image. `rules` replaces the rules of single nodes, by the name of their output."""
        arriving = {name: relevance}
        self.absorbed = {}
        for node in reversed(self.nodes):
            output = node.output[0]
            if output not in arriving or output not in self.live:
                continue
            step = self.step(node, arriving.pop(output))
            rule = (rules or {}).get(output) or rule_for(step, table)
            leaving = rule(step)
            sent = 0.0
            for source, part in zip(node.input, leaving):
                if part is not None and source in self.live:
                    arriving[source] = arriving[source] + part if source in arriving else part
                    sent += part.sum().item()
            self.absorbed[output] = step.relevance.sum().item() - sent
        return arriving[self.input]

    # Methods

    def explain(self, target, method, table):
        """(signed map, map): R twice for LRP; R - R_dual and max(0, R - R_dual) for CLRP."""
        relevance = self.lrp(target, table)
        if method == "lrp":
            return relevance, relevance
        dual = {"clrp1": self.dual_of_others, "clrp2": self.dual_of_negated_weights}[method](target, table)
        signed = relevance - dual
        return signed, signed.clamp(min=0)

    def _seed(self):
        seed = torch.zeros_like(self.values[self.logits])
        return seed, seed.view(-1)

    def lrp(self, target, table):
        seed, units = self._seed()
        units[target] = self.score(target)
        return self.propagate(self.logits, seed, table)

    def dual_of_others(self, target, table):
        """The dual of CLRP1: the same score, distributed equally over all other classes."""
        seed, units = self._seed()
        units[:] = self.score(target) / (len(units) - 1)
        units[target] = 0
        return self.propagate(self.logits, seed, table)

    def dual_of_negated_weights(self, target, table):
        """The dual of CLRP2: the target with negated weights in the last weighted layer."""
        node, pooled = self._head()
        if node.op_type == "Conv" and pooled:
            return self.propagate(node.input[0], self._composite_dual(node, target), table)

        seed, units = self._seed()
        units[target] = self.score(target)
        return self.propagate(self.logits, seed, table, {node.output[0]: negated_row(target)})

    def _head(self):
        """The last weighted layer before the logits, and whether pooling follows it."""
        name, pooled = self.logits, False
        while self.producer[name].op_type not in WEIGHTED:
            node = self.producer[name]
            if node.op_type not in SHAPING + POOLING:
                raise ValueError(f"the oracle cannot pass {node.op_type} on the way to the last weighted layer")
            pooled = pooled or node.op_type in POOLING
            (name,) = [source for source in node.input if source in self.live]
        return self.producer[name], pooled

    def _composite_dual(self, node, target):
        """Convolution and global pooling as one linear layer: R(c,p) = S x w⁻ / Σ x w⁻ for the target's channel."""
        step = self.step(node, torch.zeros_like(self.values[node.output[0]]))
        x, weight = step.inputs[0], -step.inputs[1][target : target + 1]
        if (x < 0).any() or step.attributes.get("group", 1) != 1:
            raise ValueError("a composite head is an ungrouped convolution of rectified activations")

        def summed(v):
            return OPERATORS["Conv"](step.attributes, v, weight.clamp(min=0)).sum()

        total = summed(x)
        score = torch.tensor(self.score(target), dtype=self.dtype)
        return x * adjoint(summed, x, quotient(score, total))
