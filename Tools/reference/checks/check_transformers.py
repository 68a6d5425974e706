"""Compares the maps of `writers/write_transformers.py` with LXT 2.1, and writes the differences to transformers/lxt.json.

    python -m checks.check_transformers [NAME...]

Needs `requirements-attention.txt`. For torchvision's transformers, LXT has CP-LRP in attention with Zennit's γ outside; it is used as in LXT's
example. AttnLRP is assembled from LXT's parts for other networks: its normalization, its activation, and its wrapper for attention functions,
applied to the function below. Everything is computed in double precision. LXT has its own stabilizers (1e-10, and Zennit's 1e-6), so the maps do
not agree to the last digit. Fails if a relative L2 distance exceeds 1e-5.
"""

import argparse
import contextlib
import json
import warnings
from functools import partial

import torch
from torch import nn
from torchvision.models import vision_transformer

import storage
from onnx_files import FIXTURES
from oracles.oracle_transformer import TABLES
from writers.write_transformers import FOLDER, NETWORKS, distance, maps_of, network

TOLERANCE = 1e-5


def attention_core(module, query, key, value):
    """The attention function that LXT wraps."""
    return (query @ key.transpose(2, 3) / query.shape[-1] ** 0.5).softmax(-1) @ value


def attention_forward(self, query, key, value, **options):
    """`MultiheadAttention.forward` with LXT's AttnLRP around the core."""
    from lxt.efficient.patches import wrap_attention_forward

    batch, tokens, width = query.shape
    parts = zip((query, key, value), self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3))
    heads = [nn.functional.linear(*part).reshape(batch, tokens, self.num_heads, -1).transpose(1, 2) for part in parts]
    joined = wrap_attention_forward(attention_core)(self, *heads).transpose(1, 2).reshape(batch, tokens, width)
    return self.out_proj(joined), None


def attn_lrp():
    """The patches of AttnLRP for torchvision's module, in the form that LXT expects."""
    from lxt.efficient.models.vit_torch import cp_LRP
    from lxt.efficient.patches import patch_method

    return cp_LRP | {nn.MultiheadAttention: partial(patch_method, attention_forward)}


@contextlib.contextmanager
def patched(table):
    """Patches PyTorch's and Zennit's classes with LXT for a table, and restores them afterward."""
    from lxt.efficient import monkey_patch, monkey_patch_zennit
    from zennit.core import BasicHook

    classes = (nn.GELU, nn.LayerNorm, nn.MultiheadAttention, BasicHook)
    kept = [(owner, dict(vars(owner))) for owner in classes]
    try:
        monkey_patch(vision_transformer, attn_lrp() if table == "AttnLRP" else None)
        monkey_patch_zennit()
        yield
    finally:
        for owner, members in kept:
            for key in set(vars(owner)) - set(members):
                delattr(owner, key)
            for key in ("forward", "backward"):
                if key in members:
                    setattr(owner, key, members[key])


def lxt_map(module, array, table, target):
    """The score and the map as in LXT's example: the input times its gradient."""
    from zennit.composites import LayerMapComposite
    from zennit.rules import Gamma

    image = torch.from_numpy(array).double().requires_grad_()
    rules = TABLES[table]
    composite = LayerMapComposite([(nn.Conv2d, Gamma(rules.conv)), (nn.Linear, Gamma(rules.linear))])
    with patched(table):
        if rules.conv:
            composite.register(module)
        try:
            logits = module(image)
            logits[0, target].backward()
        finally:
            if rules.conv:
                composite.remove()
    return logits[0, target].item(), (image * image.grad)[0].detach()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NETWORKS))
    names = parser.parse_args().names or list(NETWORKS)
    torch.set_num_threads(2)
    warnings.filterwarnings("ignore")
    path, failed = FOLDER / "lxt.json", False
    entries = json.loads((FOLDER / "index.json").read_text())["maps"]
    agreement = json.loads(path.read_text()) if path.exists() else {}
    for name in names:
        module = network(name)[0].double()
        for entry in entries:
            table, target = entry["table"], entry["class"]
            if not entry["file"].startswith(name + ".") or table not in ("AttnLRP", "CP-LRP", "gamma-lxt"):
                continue
            score, expected, _ = maps_of(name, module, table, [target])[target]
            found_score, found = lxt_map(module, storage.load(FIXTURES / entry["input"]), table, target)
            error = distance(found, expected)
            whole = expected.sum(0, keepdim=True) if entry["channels"] == "sum" else expected
            other = storage.difference(FOLDER / entry["file"], whole.numpy())
            agreement[entry["file"]] = float(f"{error:.1e}")
            failed |= not error <= TOLERANCE or abs(score - found_score) > 1e-9
            print(f"{entry['file']}: LXT differs from the definition by {error:.1e}, the file by {other:.1e}", flush=True)
    path.write_text(json.dumps(dict(sorted(agreement.items())), indent=2) + "\n")
    if failed:
        raise SystemExit(f"LXT differs by more than {TOLERANCE:g}")


if __name__ == "__main__":
    main()
