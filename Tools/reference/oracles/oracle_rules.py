"""Redistribution rules in float64, each from its definition.

A rule is a function (step) -> list with one relevance per node input, or None for inputs without relevance. Backward steps through linear maps are
automatic adjoints of the forward functions. No rule shares code with another implementation.
"""

import dataclasses

import torch

from oracles.oracle_forward import OPERATORS, convolve, linear

STABILIZER = 1e-9


@dataclasses.dataclass
class Step:
    """A node in the backward pass: its inputs and output of the forward pass, and the relevance that arrives."""

    operator: str
    attributes: dict
    inputs: list
    live: list  # for each input: whether it depends on the image
    output: torch.Tensor
    relevance: torch.Tensor
    box: tuple = None  # lowest and highest pixel by channel, for zB

    def forward(self, *inputs):
        return OPERATORS[self.operator](self.attributes, *inputs)

    def only_first(self, relevance):
        return [relevance] + [None] * (len(self.inputs) - 1)


def adjoint(function, at, cotangent):
    """The gradient of <function(x), cotangent> at x = `at`; for a linear function its transpose times `cotangent`."""
    at = at.detach().clone().requires_grad_(True)
    return torch.autograd.grad(function(at), at, cotangent)[0]


def quotient(relevance, denominator, stabilizer=0.0):
    """relevance / denominator, and 0 where the denominator is zero."""
    share = relevance / torch.where(denominator == 0, 1.0, denominator + stabilizer)
    return torch.where(denominator == 0, 0.0, share)


def linear_part(step):
    """For Conv, Gemm and MatMul: the map (x, w) -> y without bias, and the effective weight."""
    if step.operator == "Conv":
        return (lambda x, w: convolve(step.attributes, x, w)), step.inputs[1]
    return (lambda x, w: linear(step.attributes, x, w)), step.inputs[1] * step.attributes.get("alpha", 1.0)


def z_plus(step, weight=None):
    """Shares in proportion to positive contributions: x⁺w⁺, and x⁻w⁻ if an input can be negative."""
    apply, own_weight = linear_part(step)
    weight = own_weight if weight is None else weight
    x = step.inputs[0]
    parts = [(x.clamp(min=0), weight.clamp(min=0))]
    if (x < 0).any():
        parts.append((x.clamp(max=0), weight.clamp(max=0)))
    denominator = sum(apply(part, w) for part, w in parts)
    share = quotient(step.relevance, denominator, STABILIZER)
    return step.only_first(sum(part * adjoint(lambda v: apply(v, w), part, share) for part, w in parts))


def z_box(step):
    """Shares in proportion to x w - l w⁺ - h w⁻ with the box [l, h] of each channel; padding has x = l = h = 0."""
    apply, weight = linear_part(step)
    x = step.inputs[0]
    low, high = (torch.tensor(side, dtype=x.dtype).reshape(1, -1, 1, 1).expand_as(x) for side in step.box)
    parts = [(1, x, weight), (-1, low, weight.clamp(min=0)), (-1, high, weight.clamp(max=0))]
    denominator = sum(sign * apply(part, w) for sign, part, w in parts)
    share = quotient(step.relevance, denominator, STABILIZER)
    terms = (sign * part * adjoint(lambda v: apply(v, w), part, share) for sign, part, w in parts)
    return step.only_first(sum(terms))


def transpose_of_forward(step):
    """The adjoint of the operator at its input: winner-takes-all for maxima (the first of equal ones)."""
    x, *rest = step.inputs
    return step.only_first(adjoint(lambda v: step.forward(v, *rest), x, step.relevance))


def even(step):
    """Averages: equal shares for the positions of the window that are in the input; padding receives nothing."""
    x, *rest = step.inputs
    inside = step.forward(torch.ones_like(x), *rest)  # the share of each window that is inside the input
    return step.only_first(adjoint(lambda v: step.forward(v, *rest), x, step.relevance / inside))


def proportional(step):
    """Averages: shares in proportion to activations. The count cancels: x_i / Σx = x_i (1/n) / (Σx / n)."""
    x, *rest = step.inputs
    share = quotient(step.relevance, step.output)
    return step.only_first(x * adjoint(lambda v: step.forward(v, *rest), x, share))


def passed(step):
    return step.only_first(step.relevance)


def split(step):
    """Concat: every input receives its own part."""
    axis = step.attributes["axis"]
    return list(torch.split(step.relevance, [part.shape[axis] for part in step.inputs], axis))


def add(step):
    """Two live summands share in proportion to their values; a constant summand is a bias and is ignored."""
    if not all(step.live):
        return [step.relevance if live else None for live in step.live]
    share = quotient(step.relevance, step.output)
    return [summand * share for summand in step.inputs]


def average(step, table):
    if step.operator == "ReduceMean" and step.inputs[0].ndim != 4:
        raise ValueError("ReduceMean is supported as pooling over height and width only")
    return even(step) if table == "paper" else proportional(step)


def rule_for(step, table):
    """The rule of a node in a table (`default`, `paper` or `excitation`), as a function of the step.

    `excitation` is `default` without a box: z⁺ also in the first convolution.
    """
    if step.operator in ("Conv", "Gemm", "MatMul"):
        return z_plus if step.box is None or table == "excitation" else z_box
    if step.operator in ("AveragePool", "GlobalAveragePool", "ReduceMean"):
        return lambda s: average(s, table)
    if step.operator in ("Relu", "Dropout", "BatchNormalization", "LRN", "Softmax", "LogSoftmax"):
        return passed
    if step.operator in ("MaxPool", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity"):
        return transpose_of_forward
    if step.operator == "Concat":
        return split
    if step.operator == "Add":
        return add
    raise ValueError(f"the oracle has no rule for {step.operator}")
