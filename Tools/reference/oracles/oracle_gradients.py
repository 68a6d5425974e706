"""Gradient methods on the oracle's graph: automatic differentiation, and three backward rules for rectifiers.

A maximum passes the gradient to the winner, the first of equal ones; the derivative of a rectifier at 0 is 0.
"""

import numpy as np
import torch
import torch.nn.functional as F

from seeded import seeded_tensor


class Rectifier(torch.autograd.Function):
    """max(0, x), with the method's rule in the backward pass."""

    BACK = {
        "gradient": lambda x, g: g * (x > 0),
        "guided-backprop": lambda x, g: g.clamp(min=0) * (x > 0),
        "deconvnet": lambda x, g: g.clamp(min=0),
    }

    @staticmethod
    def forward(context, x, way):
        context.save_for_backward(x)
        context.way = way
        return x.clamp(min=0)

    @staticmethod
    def backward(context, gradient):
        return Rectifier.BACK[context.way](context.saved_tensors[0], gradient), None


def run(oracle, image, way="gradient", kept=None):
    """The differentiable logits for `image`, and the value of the tensor `kept` if it is given."""
    values = dict(oracle.values)
    values[oracle.input] = image
    for node in oracle.nodes:
        if not oracle.live.intersection(node.input):
            continue
        inputs = [values[name] if name else None for name in node.input]
        output = Rectifier.apply(inputs[0], way) if node.op_type == "Relu" else oracle.compute(node, inputs)
        values[node.output[0]] = output
    return values[oracle.logits].flatten(), values.get(kept)


def backward(oracle, target, way="gradient", at=None):
    """The gradient of the target's logit at the image, or at another image `at`."""
    image = (oracle.values[oracle.input] if at is None else at).clone().requires_grad_(True)
    logits, _ = run(oracle, image, way)
    return torch.autograd.grad(logits[target], image)[0]


def gradient_x_input(oracle, target):
    return oracle.values[oracle.input] * backward(oracle, target)


def at_layer(oracle, target, layer):
    """The value of tensor `layer`, and the gradient of the logit with respect to it."""
    logits, value = run(oracle, oracle.values[oracle.input].clone().requires_grad_(True), kept=layer)
    (gradient,) = torch.autograd.grad(logits[target], value)
    return value.detach(), gradient


def grad_cam(oracle, target, layer):
    """max(0, Σ_c a_c A_c) at tensor `layer`, where a_c is the mean of the gradient over the positions of channel c; [1, 1, h, w]."""
    value, gradient = at_layer(oracle, target, layer)
    return (gradient.mean((2, 3), keepdim=True) * value).sum(1, keepdim=True).clamp(min=0)


def layer_cam(oracle, target, layer):
    """max(0, Σ_c max(0, ∂y/∂A_c) A_c) with the gradient of each position, enlarged to the size of the image."""
    value, gradient = at_layer(oracle, target, layer)
    return upsampled(oracle, (gradient.clamp(min=0) * value).sum(1, keepdim=True).clamp(min=0))


def upsampled(oracle, small):
    """Bilinear interpolation with half-pixel centers (align_corners is false) and repeated edges."""
    size = oracle.values[oracle.input].shape[2:]
    return F.interpolate(small, size=size, mode="bilinear", align_corners=False)


def guided_grad_cam(oracle, target, layer):
    return backward(oracle, target, "guided-backprop") * upsampled(oracle, grad_cam(oracle, target, layer))


def nodes_and_weights(rule, steps):
    """The positions and the weights of the samples on the path from 0 to 1."""
    if rule == "midpoint":
        return (np.arange(steps) + 0.5) / steps, np.full(steps, 1 / steps)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (nodes + 1) / 2, weights / 2


def integrated_gradients(oracle, target, rule, steps):
    """(x - 0) times the mean gradient on the straight line from the baseline 0 to x."""
    image = oracle.values[oracle.input]
    total = torch.zeros_like(image)
    for node, weight in zip(*nodes_and_weights(rule, steps)):
        total += weight * backward(oracle, target, at=float(node) * image)
    return image * total


def baseline_score(oracle, target):
    with torch.no_grad():
        return run(oracle, torch.zeros_like(oracle.values[oracle.input]))[0][target].item()


def smoothgrad(oracle, target, low, high, seeds):
    """The mean gradient at x + n for one noise tensor n per seed, uniform in [low, high]."""
    image = oracle.values[oracle.input]
    noises = (torch.from_numpy(seeded_tensor(seed, tuple(image.shape), low, high)) for seed in seeds)
    return sum(backward(oracle, target, at=image + noise.to(image.dtype)) for noise in noises) / len(seeds)
