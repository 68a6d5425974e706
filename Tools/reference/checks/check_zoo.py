"""Export torchvision's networks and 40 of timm's with both exporters, and compare the package's results with ONNX Runtime's.

    python -m checks.check_zoo --tool PATH --scratch FOLDER [--write PATH.md] [--only TEXT...] [--again] [--keep GB]
    python -m checks.check_zoo --export --scratch FOLDER [--only TEXT...] [--keep GB]

`PATH` is the built tool (`swift build -c release --product relevance`). Requires the packages of `requirements.txt` and
`requirements-attention.txt`. `zoo.py` lists the networks: all classifiers and segmentation networks of torchvision, its
one-stage detectors, and 40 architectures of timm, with seeded weights. An export passes if the logits of the tool differ from
those of ONNX Runtime by at most 1e-4 of the largest, and if the map of LRP under the default table is finite and not zero.

Exports are created, used and deleted one at a time. `--keep` keeps files of up to 200 MB for the next run, up to GB gigabytes in
total; `--export` does only this. Results are kept in FOLDER/results, so that an interrupted run can continue. An export with a
result from the same tool is skipped, except with `--again`. `--write` writes the page, and PATH.json in the same folder, with all
results so far.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

from checks.zoo import image_of, keys
from checks.zoo_table import table, totals

LOGITS_TOLERANCE = 1e-4
SECONDS, EXPORT_SECONDS = 900, 1800
LARGEST_KEPT = 200_000_000
CHANNEL_RANGE = "-2.5,2.5"  # of the seeded images


class Zoo:
    """A folder with exports, facts about them, and results."""

    def __init__(self, scratch, keep):
        self.scratch, self.keep = scratch, keep
        for name in ("exports", "results", "work"):
            (scratch / name).mkdir(parents=True, exist_ok=True)

    def path(self, key):
        return self.scratch / "exports" / (key.replace("/", "-") + ".onnx")

    def result_path(self, key):
        return self.scratch / "results" / (key.replace("/", "-") + ".json")

    def result(self, key):
        path = self.result_path(key)
        return json.loads(path.read_text()) if path.exists() else None

    def facts(self, key):
        """The facts about an export, if it was created before."""
        path = self.path(key).with_suffix(".json")
        return json.loads(path.read_text()) if path.exists() else None

    def exported(self, key):
        """The facts about an export, which is created unless it exists or is known to fail."""
        path, facts = self.path(key), self.facts(key)
        if facts and ("error" in facts or path.exists()):
            return facts
        command = [sys.executable, "-m", "checks.zoo", key, str(path)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=EXPORT_SECONDS)
            reason = f"exit status {run.returncode}"
        except subprocess.TimeoutExpired:
            reason = f"takes more than {EXPORT_SECONDS} s"
        if not (facts := self.facts(key)):
            facts = {"error": reason}
            path.with_suffix(".json").write_text(json.dumps(facts) + "\n")
        if "error" in facts:
            self.remove(key)
        return facts

    def remove(self, key):
        for file in self.path(key).parent.glob(self.path(key).name + "*"):
            file.unlink()

    def tidied(self, key):
        """Deletes an export, unless it is small and fits into the space to keep."""
        path = self.path(key)
        size = path.stat().st_size if path.exists() else 0
        total = sum(file.stat().st_size for file in path.parent.iterdir())
        if size > LARGEST_KEPT or total > self.keep * 1e9 or (self.facts(key) or {}).get("bytes", 0) > LARGEST_KEPT:
            self.remove(key)


def tool(path, *arguments):
    """Runs the tool. Returns the last line of a failure, or None, and the time in seconds."""
    start = time.monotonic()
    try:
        run = subprocess.run([str(path), *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"takes more than {SECONDS} s", SECONDS
    lines = run.stderr.strip().splitlines()
    failure = None if run.returncode == 0 else lines[-1] if lines else f"exit status {run.returncode}"
    return failure, round(time.monotonic() - start, 2)


def compared(zoo, key, path, known):
    """The result of one export: one word, and the numbers it is based on."""
    facts = zoo.exported(key)
    if "error" in facts:
        return {"word": "not exported", "reason": facts["error"]}
    live = facts["live"]
    unknown = {name: count for name, count in live.items() if name not in known}
    result = {"operations": sum(live.values()), "unknown": unknown}
    model, work = zoo.path(key), zoo.scratch / "work"
    image = work / f"image-{facts['side']}.npy"
    if not image.exists():
        np.save(image, image_of(facts["side"]))
    expected = np.load(model.with_suffix(".npy"))
    output = work / "output"
    subprocess.run(["rm", "-rf", str(output)], check=True)
    common = (model, image, "--output-node", "logits", "--output", output)
    failure, result["predict_seconds"] = tool(path, "predict", *common, "--save", "npy")
    if failure:
        return result | {"word": "refused", "reason": short(failure, model)}
    found = np.load(output / image.stem / "logits.npy").reshape(expected.shape)
    result["logits"] = float(np.abs(found - expected).max() / np.abs(expected).max())
    options = ("--method", "lrp", "--save", "npy,json", "--channel-range", CHANNEL_RANGE)
    failure, seconds = tool(path, "explain", *common, *options)
    if failure:
        return result | {"word": "refused", "reason": short(failure, model)}
    result["explain_seconds"] = seconds
    maps = sorted((output / image.stem).glob("*.lrp.npy"))
    report = json.loads((output / "report.json").read_text())
    explained = report["inputs"][0]["explanations"][0]
    values = np.load(maps[0]).astype(np.float64)
    result |= {"table": report["table"], "score": explained["score"], "absorbed": explained["absorbed"]}
    result |= {"sum": float(values.sum()), "largest": float(np.abs(values).max())}
    if not result["logits"] <= LOGITS_TOLERANCE:
        return result | {"word": "differs", "reason": f"logits are off by {result['logits']:.1e}"}
    if not np.isfinite(values).all() or not values.any():
        return result | {"word": "differs", "reason": "the map is " + ("zero" if not values.any() else "not finite")}
    return result | {"word": "passes"}


def short(text, model):
    return text.removeprefix("relevance: ").replace(f"{model}: ", "").replace(str(model.parent) + "/", "")[:400]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", type=pathlib.Path)
    parser.add_argument("--scratch", required=True, type=pathlib.Path)
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=[], metavar="TEXT", help="only networks whose names contain one of these texts")
    parser.add_argument("--again", action="store_true", help="repeat exports that have a result from the same tool")
    parser.add_argument("--keep", type=float, default=0, metavar="GB")
    parser.add_argument("--export", action="store_true", help="only export the networks")
    arguments = parser.parse_args()
    zoo = Zoo(arguments.scratch, arguments.keep)
    chosen = [key for key in keys() if not arguments.only or any(text in key for text in arguments.only)]
    if arguments.export:
        for key in chosen:
            if not zoo.facts(key):
                facts = zoo.exported(key)
                print(key, facts.get("error", f"{facts.get('seconds')} s, changes by {facts.get('change', 0):.1e}"), flush=True)
                zoo.tidied(key)
        return
    if arguments.tool:
        stamp = hashlib.sha256(arguments.tool.read_bytes()).hexdigest()[:16]
        listed = subprocess.run([str(arguments.tool), "list", "operators"], capture_output=True, text=True, check=True).stdout
        known = {line.split()[0] for line in listed.splitlines() if line.strip()}
        for key in chosen:
            earlier = zoo.result(key)
            if earlier and earlier.get("tool") == stamp and not arguments.again:
                continue
            try:
                result = compared(zoo, key, arguments.tool, known)
            except Exception as error:
                result = {"word": "fails", "reason": f"{type(error).__name__}: {error}"[:400]}
            zoo.result_path(key).write_text(json.dumps(result | {"tool": stamp}, indent=1) + "\n")
            print(key, result["word"], result.get("reason", f"logits {result.get('logits', 0):.1e}"), flush=True)
            zoo.tidied(key)
    rows = [(key, zoo.facts(key), zoo.result(key)) for key in keys()]
    rows = [row for row in rows if row[1] and row[2]]
    print(totals(rows))
    if arguments.write:
        arguments.write.write_text(table(rows))
        record = {key: {"export": facts, "result": result} for key, facts, result in rows}
        arguments.write.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
