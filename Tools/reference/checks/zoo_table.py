"""The page that `check_zoo.py` writes from its results: one row per network, for both exporters."""

import collections
import importlib.metadata
import re

from checks.zoo import DETECTORS, SEGMENTERS

HEAD = ["network", "opsets", "operations", "logits", "table", "ΣR / S", "result"]
# The result of an implementation that works on the operations of PyTorch's graphs, arXiv 2512.07010.
PEER = "DynamicLRP (arXiv 2512.07010) reports 99.99 % of 31,465 operations, in 15 architectures."


def refused(result):
    """The number of operations that the tool does not support: those that its error counts, or 1 if it counts none."""
    if "operations" not in result or result["word"] == "passes" or "explain_seconds" in result:
        return 0
    numbers = re.findall(r"(\d+) nodes are not supported", result.get("reason", ""))
    return min(result["operations"], max(1, sum(map(int, numbers)), sum(result["unknown"].values())))


def percent(part, whole):
    return f"{part:,} of {whole:,} ({100 * part / whole:.2f} %)" if whole else "none"


def totals(rows):
    """One paragraph: the number of exports that pass, of failed exports, and of supported operations."""
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
    """The share of the score in the map."""
    return f"{result['sum'] / result['score']:.2g}" if result.get("score") else ""


def both(values):
    """The common value of both exports, or both values."""
    return " / ".join(values if len(set(values)) > 1 else values[:1])


def outcome(exports):
    """The text "passes" if all exports pass, otherwise the result of each one that does not."""
    texts = []
    for exporter, result in exports:
        if result["word"] != "passes":
            text = f"{exporter} **{result['word']}**: {result.get('reason', '')}"
            texts.append((text if len(text) <= 240 else text[:239] + "…").replace("|", "\\|").replace("\n", " "))
    return "; ".join(texts) or "passes"


def row(name, exports):
    """The row of a network; `exports` contains the exporter, the facts and the result of each export."""
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
    """The title of the section that lists a network."""
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

This page lists which networks of torchvision and timm are supported, for users who want to know whether their architecture is among them.

{totals(rows)}
{PEER}

Written by `Tools/reference/checks/check_zoo.py` with PyTorch {version("torch")} and ONNX Runtime {version("onnxruntime")}, for networks with seeded weights and one
seeded input. Each network is exported twice, by PyTorch's older exporter and by its newer one (`torchscript / dynamo`). If the two differ,
both values are listed.

- *operations*: the nodes whose output depends on the image. If not all of them are supported, the number of supported ones is listed, too.
- *logits*: the largest difference from ONNX Runtime in both exports, relative to the largest logit. An export passes up to 1e-4.
- *table*: the rule table that `relevance explain --method lrp` selects by default.
- *ΣR / S*: the share of the explained score in the map. The rest is absorbed by biases and constants.
- *result*: an export also fails if its map is zero or contains values that are not finite.

Detectors are exported without the selection of boxes. R-CNNs are not included: they crop regions by selected boxes, which is control flow.

""" + "\n\n".join(sections) + "\n"
