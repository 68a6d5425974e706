"""The paper's procedure in PyTorch, written from the paper's definitions: z⁺ in each layer with weights, z^B in the first, winner-takes-all in max
pooling, even shares in average pooling; rectifiers pass relevance on, and biases are ignored.

For each class there is one forward pass, in which every layer keeps its input, and one backward pass, in which each layer clamps its weights,
runs forward with them, and multiplies its input by the gradient. CLRP1 needs a second backward pass for the other classes.
"""
import torch
from torch.nn import functional

STABILIZER = 1e-9


def linear(module, operand, weight, bias=None):
    if isinstance(module, torch.nn.Linear):
        return functional.linear(operand, weight, bias)
    return functional.conv2d(operand, weight, bias, module.stride, module.padding, module.dilation, module.groups)


class Layer(torch.autograd.Function):
    """A layer with weights whose backward pass propagates relevance. `box` is the box of z^B, or None."""

    @staticmethod
    def forward(context, operand, module, box):
        context.save_for_backward(operand)
        context.module, context.box = module, box
        return linear(module, operand, module.weight, module.bias)

    @staticmethod
    def backward(context, relevance):
        operand, module = context.saved_tensors[0].detach(), context.module
        positive = module.weight.clamp(min=0)
        with torch.enable_grad():
            operands = [operand.requires_grad_()]
            if context.box is None:
                z = linear(module, operand, positive)
            else:
                operands += [torch.full_like(operand, bound, requires_grad=True) for bound in context.box]
                z = linear(module, operand, module.weight)
                z = z - linear(module, operands[1], positive) - linear(module, operands[2], module.weight.clamp(max=0))
        gradients = torch.autograd.grad(z, operands, relevance / (z.detach() + STABILIZER))
        with torch.no_grad():
            return sum(x * gradient for x, gradient in zip(operands, gradients)), None, None


class Rectifier(torch.autograd.Function):
    @staticmethod
    def forward(context, operand):
        return operand.clamp(min=0)

    @staticmethod
    def backward(context, relevance):
        return relevance


def prepare(network, box):
    """Assigns rules to all layers. Pooling and concatenation need none: their gradients are the paper's rules."""
    first = True
    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.forward = lambda operand, module=module, box=box if first else None: Layer.apply(operand, module, box)
            first = False
        elif isinstance(module, torch.nn.ReLU):
            module.forward = Rectifier.apply


def explain(network, image, target, contrasts):
    image = image.clone().requires_grad_()
    logits = network(image)
    seed = torch.zeros_like(logits)
    seed[0, target] = logits[0, target].detach()
    relevance, = torch.autograd.grad(logits, image, seed, retain_graph=contrasts)
    if not contrasts:
        return relevance
    dual_seed = torch.full_like(logits, seed[0, target].item() / (logits.shape[1] - 1))
    dual_seed[0, target] = 0
    dual, = torch.autograd.grad(logits, image, dual_seed)
    return (relevance - dual).clamp(min=0)
