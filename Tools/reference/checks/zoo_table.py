"""The table that `check_zoo.py` writes of its results."""

import collections
import importlib.metadata
import re

HEAD = ["network", "exporter", "opset", "operations", "logits", "table", "ΣR / S", "result"]


def refused(result):
    """How many operations the tool does not cover: those that it names, or one where it says no number."""
    if "operations" not in result or result["word"] == "passes" or "explain_seconds" in result:
        return 0
    numbers = re.findall(r"(\d+) nodes? (?:are|is) not supported", result.get("reason", ""))
    return min(result["operations"], max(1, sum(map(int, numbers)), sum(result["unknown"].values())))


def percent(part, whole):
    return f"{part} of {whole} ({100 * part / whole:.2f} %)" if whole else "none"


def totals(rows):
    """One paragraph: how many pass, of what was exported, and how many operations are covered."""
    made = [result for _, facts, result in rows if "error" not in facts]
    failed = len(rows) - len(made)
    words = collections.Counter(result["word"] for result in made)
    operations = sum(result.get("operations", 0) for result in made)
    covered = operations - sum(refused(result) for result in made)
    others = ", ".join(f"{count} {word}" for word, count in sorted(words.items()) if word != "passes")
    return (
        f"{percent(words['passes'], len(made))} exports pass" + (f"; {others}" if others else "") + f". {failed} could not be exported. "
        f"{percent(covered, operations)} operations that depend on the image are covered."
    )


def ratio(result):
    """What of the score is in the map."""
    return f"{result['sum'] / result['score']:.3g}" if result.get("score") else ""


def row(key, facts, result):
    library, name, exporter = key.split("/")
    what = "passes" if result["word"] == "passes" else f"**{result['word']}**: {result.get('reason', '')}"
    what = (what if len(what) <= 240 else what[:239] + "…").replace("|", "\\|").replace("\n", " ")
    logits = f"{result['logits']:.1e}" if "logits" in result else ""
    operations = f"{result['operations'] - refused(result)}/{result['operations']}" if "operations" in result else ""
    return [name, exporter, str(facts.get("opset", "")), operations, logits, result.get("table", ""), ratio(result), what]


def version(package):
    return importlib.metadata.version(package).split("+")[0]


def table(rows):
    """The whole page."""
    sections = []
    for library, title in ("timm", f"timm {version('timm')}"), ("torchvision", f"torchvision {version('torchvision')}"):
        lines = [HEAD, ["---"] * len(HEAD)] + [row(*each) for each in rows if each[0].startswith(library + "/")]
        if len(lines) > 2:
            sections.append(f"## {title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines))
    return f"""# Networks of torchvision and timm

{totals(rows)}

Written by `Tools/reference/checks/check_zoo.py`: PyTorch {version("torch")}, ONNX Runtime {version("onnxruntime")}, seeded weights, one seeded
input. *Operations*: nodes whose output depends on the image, those that the package covers of all. *Logits*: largest difference from ONNX
Runtime, relative to the largest logit; at most 1e-4 passes. *Table*: the rule table that `relevance explain --method lrp` chooses by itself.
*ΣR / S*: the share of the explained score that is in the map; what biases and constants absorb is missing. Detectors are exported up to
the selection of boxes; R-CNNs are not in the table, since they cut out regions by boxes that they have selected.

""" + "\n\n".join(sections) + "\n"
