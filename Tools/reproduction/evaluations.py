"""Runs of `relevance evaluate`, and their reports."""
import json
import subprocess
import sys
from pathlib import Path

METHODS = ["random", "gradient", "guided-backprop", "lrp", "clrp1", "clrp2", "sglrp", "grad-cam"]
# Table 1 of the paper: the mean drop of the activation on 50,000 images.
PRINTED = {
    "alexnet": {"random": .0766, "gradient": .1716, "guided-backprop": .1843, "lrp": .1624, "clrp1": .2093, "clrp2": .2030},
    "vgg16": {"random": .0809, "gradient": .3760, "guided-backprop": .4480, "lrp": .3713, "clrp1": .3844, "clrp2": .3913},
}


class Network:
    """A network and its data."""

    def __init__(self, name, model, data, options=(), units=None, has_boxes=True, grids=True, figures=()):
        self.name, self.model, self.data, self.options = name, str(model), str(data), [str(option) for option in options]
        self.units, self.has_boxes, self.grids, self.figures = units, has_boxes, grids, [str(figure) for figure in figures]

    @property
    def printed(self):
        """The paper's values for the architecture, if it printed any."""
        return next((values for name, values in PRINTED.items() if self.name.startswith(name)), {})


class Experiments:
    """Runs evaluations and collects the lines of reproduction.md."""

    def __init__(self, arguments):
        self.relevance, self.output, self.limit = arguments.relevance, Path(arguments.output), arguments.limit
        self.resamples, self.lines, self.failures = arguments.resamples, [], []

    def add(self, *lines):
        self.lines += lines

    def run(self, network, experiment, *extra, name=None, methods=METHODS):
        """The report of an evaluation, or None if it failed; reproduction.md then states the reason."""
        folder = self.output / network.name / (name or experiment)
        command = [self.relevance, "evaluate", experiment, network.model, network.data, *network.options, "--resume",
                   "--output", str(folder), "--resamples", str(self.resamples), *extra]
        for method in methods:
            command += ["--method", method]
        if self.limit:
            command += ["--limit", str(self.limit)]
        print(f"{network.name}: {name or experiment}", file=sys.stderr, flush=True)
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        errors = done.stderr.strip().splitlines()
        if done.returncode:
            reason = errors[-1] if errors else f"status {done.returncode}"
            print(f"  {reason}", file=sys.stderr)
            self.failures.append(f"{network.name}, {name or experiment}: {reason}")
            self.add(f"*{name or experiment}: not measured: {reason}*", "")
            return None
        return Report(folder)

    def write(self):
        if self.failures:
            self.add("## Not measured", "", *[f"- {failure}" for failure in self.failures], "")
        text = "\n".join(self.lines).rstrip() + "\n"
        partial = self.output / ".reproduction.md"
        partial.write_text(text)
        partial.replace(self.output / "reproduction.md")


class Report:
    """The report of an evaluation."""

    def __init__(self, folder):
        self.folder = folder
        self.json = json.loads((folder / "report.json").read_text())

    def table(self, title):
        return next(table for table in self.json["tables"] if table["title"] == title)

    def rows(self, title):
        """The cells of a table by its first column."""
        table = self.table(title)
        return {row[0]: dict(zip(table["columns"], row)) for row in table["rows"]}

    @property
    def notes(self):
        return [f"- {note}" for note in self.json["notes"]] + (
            [f"- {len(self.json['failures'])} items could not be evaluated."] if self.json["failures"] else [])

    def figure(self, name, output):
        return f"![{name}]({(self.folder / name).relative_to(output)})"
