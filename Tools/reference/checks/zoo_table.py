"""The table that `check_zoo.py` writes of its results: a row for each network, with the exports of both exporters."""

import collections
import importlib.metadata
import re

from checks.zoo import DETECTORS, SEGMENTERS

HEAD = ["network", "opsets", "operations", "logits", "table", "ΣR / S", "result"]
# What the operation-by-operation implementation over PyTorch's graphs reports, arXiv 2512.07010.
PEER = "DynamicLRP (arXiv 2512.07010) reports 99.99 % of 31,465 operations, in 15 architectures."


def refused(result):
    """How many operations the tool does not cover: those that it names, or one where it says no number."""
    if "operations" not in result or result["word"] == "passes" or "explain_seconds" in result:
        return 0
    numbers = re.findall(r"(\d+) nodes are not supported", result.get("reason", ""))
    return min(result["operations"], max(1, sum(map(int, numbers)), sum(result["unknown"].values())))


def percent(part, whole):
    return f"{part:,} of {whole:,} ({100 * part / whole:.2f} %)" if whole else "none"


def totals(rows):
    """One paragraph: how many pass, of what was exported, and how many operations are covered."""
    made = [result for _, facts, result in rows if "error" not in facts]
    failed = len(rows) - len(made)
    words = collections.Counter(result["word"] for result in made)
    operations = sum(result.get("operations", 0) for result in made)
    covered = operations - sum(refused(result) for result in made)
    others = ", ".join(f"{count} {word}" for word, count in sorted(words.items()) if word != "passes")
    networks = len({key.rpartition("/")[0] for key, _, _ in rows})
    return (
        f"{percent(words['passes'], len(made))} exports of {networks} networks pass" + (f"; {others}" if others else "")
        + f". {failed} could not be exported. {percent(covered, operations)} operations that depend on the image are covered."
    )


def ratio(result):
    """What of the score is in the map."""
    return f"{result['sum'] / result['score']:.2g}" if result.get("score") else ""


def both(values):
    """What the exports have in common, or what each has."""
    return " / ".join(values if len(set(values)) > 1 else values[:1])


def outcome(exports):
    """"passes" of all exports, or what each of them is."""
    texts = []
    for exporter, result in exports:
        if result["word"] != "passes":
            text = f"{exporter} **{result['word']}**: {result.get('reason', '')}"
            texts.append((text if len(text) <= 240 else text[:239] + "…").replace("|", "\\|").replace("\n", " "))
    return "; ".join(texts) or "passes"


def row(name, exports):
    """A network's row, of the key's last part, what is known and the result of each export."""
    made = [(facts, result) for _, facts, result in exports if "operations" in result]
    counts = [f"{result['operations'] - refused(result)}/{result['operations']}" for _, result in made]
    counts = [text.split("/")[0] if len(set(text.split("/"))) == 1 else text.replace("/", " of ") for text in counts]
    logits = [result["logits"] for _, result in made if "logits" in result]
    return [
        name, both([str(facts["opset"]) for facts, _ in made]), both(counts), f"{max(logits):.0e}" if logits else "",
        both([result["table"] for _, result in made if "table" in result]), both([ratio(result) for _, result in made]),
        outcome([(exporter, result) for exporter, _, result in exports]),
    ]


def version(package):
    return importlib.metadata.version(package).split("+")[0]


def group(library, name):
    """The part of the page that a network is in."""
    if library == "timm":
        return f"timm {version('timm')}"
    kind = "segmentation" if name in SEGMENTERS else "detectors" if name in DETECTORS else "classifiers"
    return f"torchvision {version('torchvision')}: {kind}"


def table(rows):
    """The whole page."""
    groups = {}
    for key, facts, result in rows:
        library, name, exporter = key.split("/")
        groups.setdefault(group(library, name), {}).setdefault(name, []).append((exporter, facts, result))
    sections = []
    for title, networks in groups.items():
        lines = [HEAD, ["---"] * len(HEAD)] + [row(name, exports) for name, exports in networks.items()]
        sections.append(f"## {title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines))
    return f"""# Networks of torchvision and timm

{totals(rows)}
{PEER}

Written by `Tools/reference/checks/check_zoo.py`: PyTorch {version("torch")}, ONNX Runtime {version("onnxruntime")}, seeded weights, one seeded
input. Each network is exported twice, by PyTorch's older exporter and by its newer one (`torchscript / dynamo`); where these differ, both
values are given. *Operations*: nodes whose output depends on the image; how many of them the package covers where that is not all. *Logits*:
the larger of both exports' largest differences from ONNX Runtime, relative to the largest logit; at most 1e-4 passes. *Table*: the rule table
that `relevance explain --method lrp` chooses by itself. *ΣR / S*: the share of the explained score that is in the map; what biases and
constants absorb is missing. A map that is zero, or has values that are not finite, does not pass. Detectors are exported up to the selection
of boxes; R-CNNs are left out, since they cut out regions by boxes that they have selected, which is control flow.

""" + "\n\n".join(sections) + "\n"
