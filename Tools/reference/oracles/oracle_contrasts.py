"""Contrastive methods other than the paper's, and targets inside the network, based on the oracle. All maps are signed.

A unit is (tensor, index): the output of a node, and the index of an element, including the batch axis.
"""

import torch

from oracles.oracle import WEIGHTED, negated_row

# Operators that may be between a unit and the last weighted layer before it: each output depends only on the input at the same index.
ELEMENTWISE = ("Relu", "BatchNormalization", "Dropout", "Identity")


def spread(oracle, seeds, table):
    """The relevance at the image for one seed per logit."""
    return oracle.propagate(oracle.logits, seeds.reshape(oracle.values[oracle.logits].shape), table)


def one_hot(oracle, target, value):
    seeds = torch.zeros(oracle.values[oracle.logits].numel(), dtype=oracle.dtype)
    seeds[target] = value
    return seeds


def clrp1_released(oracle, target, table="default"):
    """The dual is seeded with |logit| of every other class; both maps are divided by their sums, then subtracted."""
    others = oracle.values[oracle.logits].flatten().abs()
    others[target] = 0
    relevance, dual = oracle.lrp(target, table), spread(oracle, others, table)
    return relevance / relevance.sum() - dual / dual.sum()


def sglrp_seeds(oracle, target):
    """Seeds p_t (1 - p_t) at the target, where 1 - p_t is computed as the sum of the others' p, and -p_t p_c at the other classes."""
    p = torch.softmax(oracle.values[oracle.logits].flatten(), 0)
    seeds = -p[target] * p
    seeds[target] = 0
    seeds[target] = -seeds.sum()
    return seeds


def sglrp(oracle, target, table="default"):
    return spread(oracle, sglrp_seeds(oracle, target), table)


def excitation_backprop(oracle, target):
    """z⁺ everywhere, seed 1."""
    return spread(oracle, one_hot(oracle, target, 1.0), "excitation")


def contrastive_excitation_backprop(oracle, target):
    """The target's excitation minus the excitation with its negated weights below the last weighted layer; both sum to 1.

    This is CLRP2 with z⁺ everywhere and the seed 1. Propagation is linear, so the difference can be computed at the image.
    """
    return oracle.explain(target, "clrp2", "excitation")[0] / oracle.score(target)


# Units


def activation(oracle, unit):
    tensor, index = unit
    return oracle.values[tensor][index].item()


def seeded_unit(oracle, unit):
    tensor, index = unit
    seed = torch.zeros_like(oracle.values[tensor])
    seed[index] = oracle.values[tensor][index]
    return seed


def unit_lrp(oracle, unit, table="default"):
    """LRP of a unit, with its activation as the seed."""
    return oracle.propagate(unit[0], seeded_unit(oracle, unit), table)


def weighted_layer_of(oracle, unit):
    """The last weighted layer before the unit, and the unit's scales in the normalizations between them."""
    name, (_, channel, *_) = unit
    scales = []
    while oracle.producer[name].op_type not in WEIGHTED:
        node = oracle.producer[name]
        if node.op_type not in ELEMENTWISE:
            raise ValueError(f"{node.op_type} is between the unit and the last weighted layer")
        if node.op_type == "BatchNormalization":
            scales.append(oracle.values[node.input[1]][channel].item())
        name = node.input[0]
    node = oracle.producer[name]
    if not oracle._weighted_before(node.input[0]):
        raise ValueError("the dual of a unit of the first layer is not defined")
    return node, scales


def unit_clrp2(oracle, unit, table="default"):
    """R - R_dual: R uses the unit's weights with the sign of the normalization's scale, and R_dual their negatives."""
    node, _ = weighted_layer_of(oracle, unit)
    seed = seeded_unit(oracle, unit)
    relevance = oracle.propagate(unit[0], seed, table)
    return relevance - oracle.propagate(unit[0], seed, table, {node.output[0]: negated_row(unit[1][1])})
