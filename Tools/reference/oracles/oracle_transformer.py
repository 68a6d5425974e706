"""Relevance of torchvision's vision transformers, from the definitions, in double precision.

Every rule is expressed as a modified gradient: if a node's rule is R_in = x · f(R_out / y), the gradient that is passed on is f of the gradient that
arrives, and a map is the input times the gradient at the input. Therefore LRP with ε → 0 and absorbing biases is gradient × input of a network in
which some factors are constants:

- LayerNorm: the deviation is constant. Scale and mean are linear, the shift is a bias.
- GELU, x · Φ(x): Φ(x) is constant.
- A product of two operands that both depend on the image: with `halves` (Achtibat et al. 2024), each operand receives half of the gradient; with
  `values` (Ali et al. 2022), the attention is constant.
- Softmax: nothing is constant. Its gradient gives R_i = x_i (R'_i − s_i Σ R').

With γ, the gradient of a weighted layer uses raised weights, as in Zennit's Gamma: see `Raised`.
"""

from typing import NamedTuple

import torch
from torch.nn import functional


class Table(NamedTuple):
    """The settings of a map: `attention` is halves, values or gradient; the others are γ by kind of layer, 0 for ε → 0."""

    attention: str
    conv: float = 0.0
    linear: float = 0.0
    projections: float = 0.0  # the linear layers at the beginning and the end of attention


TABLES = {
    "AttnLRP": Table("halves"),
    "CP-LRP": Table("values"),
    "gamma": Table("values", 0.25, 0.05, 0.05),
    "gamma-lxt": Table("values", 0.25, 0.05, 0.0),
    "gradient": Table("gradient"),
}


class Raised(torch.autograd.Function):
    """A linear layer with γ. `z` is its output; c = x w is a contribution with the positive and negative parts c⁺ and c⁻.

    R_j = Σ (c + γ c⁺) R / (Σ (c + γ c⁺) + b + γ b⁺) if z > 0; the same with c⁻ and b⁻ if z < 0; 0 if z = 0.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, gamma):
        ctx.save_for_backward(x, weight, bias)
        ctx.gamma = gamma
        return functional.linear(x, weight, bias)

    @staticmethod
    def backward(ctx, gradient):
        x, weight, bias = ctx.saved_tensors
        z = functional.linear(x, weight, bias)
        result = torch.zeros_like(x)
        for sign in (1, -1):
            # Weights for positive and for negative inputs, raised where the contribution has this sign.
            above = weight + ctx.gamma * sign * (sign * weight).clamp(min=0)
            below = weight - ctx.gamma * sign * (-sign * weight).clamp(min=0)
            raised = functional.linear(x.clamp(min=0), above) + functional.linear(x.clamp(max=0), below)
            denominator = raised + bias + ctx.gamma * sign * (sign * bias).clamp(min=0)
            chosen = sign * z > 0
            share = torch.where(chosen, gradient * z / torch.where(chosen, denominator, 1), 0)
            result += torch.where(x > 0, share @ above, share @ below)
        return result, None, None, None


class Transformer:
    """A forward pass of a torchvision `VisionTransformer` on one image, with a table's gradients."""

    def __init__(self, network, image, table, dtype=torch.float64):
        self.network, self.table = network.to(dtype), table
        self.image = torch.as_tensor(image).to(dtype).requires_grad_()
        self.attention = []  # of each block, [1, heads, tokens, tokens]
        self.normalized = []  # the input of attention in each block, [1, tokens, width]
        self.logits = self._forward()[0]

    def _linear(self, x, weight, bias, gamma):
        return Raised.apply(x, weight, bias, gamma) if gamma else functional.linear(x, weight, bias)

    def _norm(self, x, layer):
        if self.table.attention == "gradient":
            return layer(x)
        centered = x - x.mean(-1, keepdim=True)
        deviation = (centered.square().mean(-1, keepdim=True) + layer.eps).sqrt().detach()
        return centered / deviation * layer.weight + layer.bias

    def _gelu(self, x):
        share = (1 + torch.erf(x / 2**0.5)) / 2
        return x * (share if self.table.attention == "gradient" else share.detach())

    def _product(self, a, b):
        if self.table.attention == "values":
            return a.detach() @ b
        y = a @ b
        return y / 2 + (y / 2).detach() if self.table.attention == "halves" else y

    def _patches(self):
        layer = self.network.conv_proj
        side, width = self.network.patch_size, self.network.hidden_dim
        patches = functional.unfold(self.image, side, stride=side).transpose(1, 2)
        return self._linear(patches, layer.weight.reshape(width, -1), layer.bias, self.table.conv)

    def _attend(self, x, layer):
        batch, tokens, width = x.shape
        parts = zip(layer.in_proj_weight.chunk(3), layer.in_proj_bias.chunk(3))
        q, k, v = (
            self._linear(x, weight, bias, self.table.projections)
            .reshape(batch, tokens, layer.num_heads, -1).transpose(1, 2)
            for weight, bias in parts
        )  # fmt: skip
        attention = (self._product(q, k.transpose(2, 3)) / q.shape[-1] ** 0.5).softmax(-1)
        if attention.requires_grad:
            attention.retain_grad()
        self.attention.append(attention)
        joined = self._product(attention, v).transpose(1, 2).reshape(batch, tokens, width)
        return self._linear(joined, layer.out_proj.weight, layer.out_proj.bias, self.table.projections)

    def _forward(self):
        network, gamma = self.network, self.table.linear
        tokens = torch.cat([network.class_token, self._patches()], 1) + network.encoder.pos_embedding
        for block in network.encoder.layers:
            self.normalized.append(self._norm(tokens, block.ln_1))
            tokens = tokens + self._attend(self.normalized[-1], block.self_attention)
            first, last = block.mlp[0], block.mlp[3]
            hidden = self._gelu(self._linear(self._norm(tokens, block.ln_2), first.weight, first.bias, gamma))
            tokens = tokens + self._linear(hidden, last.weight, last.bias, gamma)
        head = network.heads.head
        return self._linear(self._norm(tokens, network.encoder.ln)[:, 0], head.weight, head.bias, gamma)

    def map(self, target):
        """The relevance of the image, [3, H, W], seeded with the target's logit."""
        (gradient,) = torch.autograd.grad(self.logits[target], self.image, retain_graph=True)
        return (self.image * gradient)[0].detach()

    def absorbed(self, target):
        """The part of the logit that the constants of the linear network absorb: class token, positions and biases."""
        named = dict(self.network.named_parameters())
        gradients = torch.autograd.grad(self.logits[target], list(named.values()), retain_graph=True, allow_unused=True)
        taken = {name: (named[name] * g).sum().item() for name, g in zip(named, gradients) if g is not None}
        biases = sum(value for name, value in taken.items() if name.endswith("bias"))
        return {"class_token": taken["class_token"], "position": taken["encoder.pos_embedding"], "biases": biases}

    def _grid(self, matrix):
        """The class token's row without the class token itself, on the grid of the patches."""
        side = self.network.image_size // self.network.patch_size
        return matrix[0, 1:].reshape(1, side, side).detach()

    def rollout(self):
        """Abnar and Zuidema 2020: the product of (A + I)/2 with A averaged over heads, from the last block to the first."""
        product = None
        for attention in self.attention:
            mean = attention[0].mean(0)
            step = (mean + torch.eye(len(mean), dtype=mean.dtype)) / 2
            product = step if product is None else step @ product
        return self._grid(product)

    def gradient_attention(self, target):
        """Chefer et al. 2021 for self-attention: R ← R + E_h[(∇A ⊙ A)⁺] R, starting with I. Needs the table `gradient`."""
        gradients = torch.autograd.grad(self.logits[target], self.attention, retain_graph=True)
        relevance = torch.eye(self.attention[0].shape[-1], dtype=self.image.dtype)
        for attention, gradient in zip(self.attention, gradients):
            relevance = relevance + (attention * gradient)[0].clamp(min=0).mean(0) @ relevance
        return self._grid(relevance)

    def activation_maps(self, target):
        """Grad-CAM (Selvaraju et al. 2017) and LayerCAM (Jiang et al. 2021) at the input of the last attention without the class token: the
        positions are the image's tokens. Needs the table `gradient`."""
        (gradient,) = torch.autograd.grad(self.logits[target], self.normalized[-1], retain_graph=True)
        side = self.network.image_size // self.network.patch_size
        activations, slopes = (values[0, 1:].detach() for values in (self.normalized[-1], gradient))
        grad_cam = (activations * slopes.mean(0)).sum(1).clamp(min=0)
        layer_cam = (activations * slopes.clamp(min=0)).sum(1).clamp(min=0)
        return {"grad-cam": grad_cam.reshape(1, side, side), "layer-cam": layer_cam.reshape(1, side, side)}
