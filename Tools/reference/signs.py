"""Moves the signs of batch normalization's scales into the preceding convolutions, as the package does before it explains.

A rule depends on the signs of weights, and relevance bypasses a normalization. With a negative scale between them, evidence for a class would count
as evidence against it. Only signs move, so the network computes the same function.
"""

import torch
from torch import nn


def turn_signs(network):
    """Changes a torch module in place: each normalization registered directly after a convolution has |scale|, and the weights have the signs."""
    before = None
    with torch.no_grad():
        for module in network.modules():
            if any(True for _ in module.children()):
                continue
            if isinstance(module, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
                sign = torch.where(module.weight < 0, -1.0, 1.0).to(module.weight.dtype)
                before.weight.mul_(sign.reshape(-1, 1, 1, 1))
                if before.bias is not None:
                    before.bias.mul_(sign)
                module.running_mean.mul_(sign)
                module.weight.abs_()
            before = module
    return network
