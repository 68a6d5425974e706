"""Move the signs of batch normalization's scales into the convolutions before, as the package does before it explains.

A rule looks at the signs of weights, and relevance passes over a normalization: with a scale of negative sign between, what
supports a class would be taken for what contradicts it. Signs alone move, so the network computes what it did.
"""

import torch
from torch import nn


def turn_signs(network):
    """Change a torch module in place: for each normalization registered right behind a convolution, |scale|, and the signs in the weights."""
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
