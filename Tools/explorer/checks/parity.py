#!/usr/bin/env python3
"""Compares the responses of relevance-explorer with the files that the command-line tool writes, and tests the server under load.

    python3 Tools/explorer/checks/parity.py --explorer PATH --tool PATH/relevance [--model squeezenet1.1] [--images DIR_OR_FILE ...]

Parity: .npy files to the bit, PNG files, maps, conservation ledgers, layers, tables of channels, predictions and error messages.
Load: many concurrent clients, memory, fairness between clients, and closed connections. Requires only Python 3.11.
Prints a line for each failure, and a summary. Exit status 1: there are failures.
"""
import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import load
from service import NPY, PNG, Server, float32, is_sum_over_channels, map_values, read_npy, read_png

ROOT = Path(__file__).resolve().parents[3]
METHODS = ["lrp", "clrp1", "clrp1:against={other},strength=1.5", "clrp2", "gradient-x-input", "grad-cam"]
# Methods that need a class: not for units.
CLASSES_ONLY = {"clrp1"}
YAML = "name: check\nextends: default\nrules:\n  - {op: Conv, position: first, rule: zPlus}\n"


@dataclass
class Findings:
    """The failures, and the number of comparisons by kind."""

    failures: list = field(default_factory=list)
    compared: dict = field(default_factory=dict)

    def expect(self, kind, is_equal, text):
        self.compared[kind] = self.compared.get(kind, 0) + 1
        if not is_equal:
            self.failures.append(f"{kind}: {text}")
            print(f"parity: {kind}: {text}", flush=True)


@dataclass
class Setting:
    """The same setting for both programs: options of the tool, and fields of a request."""

    name: str
    options: list
    fields: dict


@dataclass
class Subject:
    """The model, its images, and the layers, units and classes to request."""

    model: str
    images: list
    node: str = ""
    early: str = ""
    unit: str = ""
    through: str = ""
    target: int = 0
    other: int = 0

    def image(self, number):
        return f"file:{number}/{self.images[number].name}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--explorer", required=True, help="the program relevance-explorer")
    parser.add_argument("--tool", required=True, help="the program relevance")
    parser.add_argument("--model", default="squeezenet1.1", help="a .onnx file, a folder, or the name of a fetched model")
    parser.add_argument("--images", nargs="+", default=[str(ROOT / "Fixtures/cat-and-coffee.png")], help="image files and folders of images")
    parser.add_argument("--count", type=int, default=3, help="the number of images to use (default: 3)")
    parser.add_argument("--requests", type=int, default=200, help="the number of requests of the load test (default: 200)")
    parser.add_argument("--clients", type=int, default=8, help="the number of clients of the load test (default: 8)")
    parser.add_argument("--memory", type=int, default=64, help="the server's memory for cached runs in MB; a small value tests that runs are dropped (default: 64)")
    parser.add_argument("--seed", type=int, default=17, help="the seed for the order of the requests (default: 17)")
    given = parser.parse_args()
    given.explorer, given.tool = (str(Path(path).resolve()) for path in (given.explorer, given.tool))
    return given


def chosen(paths, count):
    """A number of images, evenly spread over all images."""
    found = []
    for path in map(Path, paths):
        below = sorted(p for p in path.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg")) if path.is_dir() else [path]
        found += [file.resolve() for file in below]
    if not found:
        raise SystemExit("parity: --images contains no JPEG or PNG files")
    return found if len(found) <= count else [found[index * len(found) // count] for index in range(count)]


def subject(client, model, images):
    """Chooses layers, an active unit, and classes."""
    made = Subject(model, images)
    rows = client.ask("plan", {}).json()["rows"][::-1]
    places = [row["node"] for row in rows if len(row.get("shape", [])) == 4 and row["shape"][2] > 1 and row["kind"] in ("Concat", "MaxPool")]
    (made.early, made.node) = (places[len(places) // 2], places[-1])
    strongest = client.ask("layer", {"image": made.image(0), "node": made.node, "top": 1}).json()["channels"][0]
    made.unit = f"unit:{made.node}/{strongest['channel']}@{','.join(map(str, strongest['position']))}"
    made.through = f"{made.early}/3+7"
    ranks = [[int(row["target"].removeprefix("class:")) for row in client.ask("predict", {"image": made.image(number)}).json()["scores"]]
             for number in range(len(images))]
    made.target = ranks[0][2]
    # A class that is not the target for any image, because contrastive methods need another class.
    made.other = next(index for index in ranks[0][::-1] if index != made.target and all(index != best[0] for best in ranks))
    return made


def run_tool(tool, command, model, images, folder, options):
    """The report of the command-line tool, or the last line that it printed."""
    done = subprocess.run(
        [tool, command, model, *map(str, images), "--output", str(folder), "--quiet", *options],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        return None, done.stderr.strip().split("\n")[-1]
    report = Path(folder, "report.json")
    return (json.loads(report.read_text()) if report.exists() else {}), ""


def check_explanations(client, tool, subject, setting, targets, methods, findings):
    """Compares all images, targets and methods: one run of the tool, one request per file."""
    options = ["--save", "npy,json,png", "--at", subject.node, *setting.options]
    for target in targets:
        options += ["--target", target]
    for method in methods:
        options += ["--method", method]
    with tempfile.TemporaryDirectory() as folder:
        report, message = run_tool(tool, "explain", subject.model, subject.images, folder, options)
        if report is None:
            if len(targets) * len(methods) > 1:
                for target in targets:
                    for method in methods:
                        check_explanations(client, tool, subject, setting, [target], [method], findings)
                return
            answer = client.ask("explain", {"image": subject.image(0), "target": targets[0], "method": methods[0], **setting.fields})
            text = answer.message() if answer.status != 200 else "an explanation"
            findings.expect("errors", answer.status == 422 and text in message, f"{setting.name}: {message!r}, the service {answer.status} {text!r}")
            return
        for number, found in enumerate(report["inputs"]):
            asked = [(target, method) for method in methods for target in targets]
            findings.expect("errors", len(asked) == len(found["explanations"]), f"{setting.name}: the report has another number of explanations")
            for (target, method), explanation in zip(asked, found["explanations"]):
                question = {"image": subject.image(number), "target": target, "method": method, **setting.fields}
                compare(client, question, setting.name, explanation, Path(folder), subject.node, findings)


def compare(client, question, name, explanation, folder, node, findings):
    """Compares the files of an explanation with the responses to its request."""
    what = f"{name} {question['image']} {question['target']} {question['method']}"
    files = folder / explanation["files"]
    data = files.with_name(files.name + ".npy").read_bytes()
    answer = client.ask("explain", question, NPY)
    findings.expect("npy", answer.status == 200 and answer.body == data, f"{what}: {answer.status}, other bytes than the tool's")
    answer = client.ask("explain", question)
    if answer.status != 200:
        findings.expect("json", False, f"{what}: {answer.status} {answer.message()}")
        return
    found = answer.json()
    for key in ("target", "method", "score"):
        findings.expect("json", found[key] == explanation[key], f"{what}: {key} {found[key]}, the tool's {explanation[key]}")
    findings.expect("maps", is_sum_over_channels(map_values(found["map"]), data), f"{what}: other numbers than the sum over channels")
    ledger = [[row["node"], row["rule"], *(float32(row[key]) for key in ("arrives", "leaves", "magnitude"))] for row in found["ledger"]]
    of_tool = [[row["node"], row["rule"], *(float32(row[key]) for key in ("relevanceIn", "relevanceOut", "magnitudeIn"))]
               for row in explanation.get("ledger", [])]
    findings.expect("ledgers", ledger == of_tool, f"{what}: {len(ledger)} rows, {len(of_tool)} of the tool")
    for overlay, suffix in ((True, ".overlay.png"), (False, ".png")):
        compare_png(client.ask("explain", {**question, "overlay": overlay}, PNG).body, files.with_name(files.name + suffix).read_bytes(), what + " " + suffix, findings)
    for layer in explanation.get("layers", []):
        compare_layer(client.ask("layer", {**question, "node": node, "top": 1000}), layer, folder, what, findings)


def compare_png(data, expected, what, findings):
    findings.expect("PNG bytes", data == expected, f"{what}: other bytes")
    if data != expected:
        findings.expect("PNG pixels", read_png(data) == read_png(expected), f"{what}: other pixels")


def compare_layer(answer, layer, folder, what, findings):
    if answer.status != 200:
        findings.expect("layers", False, f"{what}: {answer.status} {answer.message()}")
        return
    found = answer.json()
    data = Path(folder, layer["files"] + ".npy").read_bytes()
    shape, _ = read_npy(data)
    findings.expect("layers", found["shape"][1:] == shape and is_sum_over_channels(map_values(found["map"]), data), f"{what}: other numbers than the tool's")
    rows = layer["channels"][:1000]
    findings.expect("channels", found["channels"] == rows and found["channelCount"] == len(layer["channels"]), f"{what}: another table")


def check_predictions(client, tool, subject, setting, findings):
    """Compares every score with the logits of the tool, and the top scores with the probabilities in the tool's report."""
    fit = setting.options if "--fit" in setting.options else []
    with tempfile.TemporaryDirectory() as folder:
        run_tool(tool, "predict", subject.model, subject.images, folder, ["--save", "npy", *fit])
        report, message = run_tool(tool, "explain", subject.model, subject.images, folder, ["--save", "json", "--method", "lrp", *setting.options])
        if report is None:
            raise SystemExit(f"parity: {message}")
        for number, image in enumerate(subject.images):
            question = {"image": subject.image(number), "top": 1000, **setting.fields}
            scores = client.ask("predict", question).json()["scores"]
            _, logits = read_npy(Path(folder, image.stem, "logits.npy").read_bytes())
            found = {row["target"]: float32(row["score"]) for row in scores}
            expected = {f"class:{index}": logit for index, logit in enumerate(logits)}
            what = f"{setting.name} {question['image']}"
            findings.expect("predictions", found == expected or len(expected) > 1000, f"{what}: other logits than predict --save npy")
            best = [(row["target"], row["score"], row["probability"]) for row in scores]
            of_tool = [(f"class:{row['classIndex']}", row["logit"], row["probability"]) for row in report["inputs"][number]["predictions"]]
            findings.expect("predictions", best[:len(of_tool)] == of_tool, f"{what}: {best[:2]}, the tool's {of_tool[:2]}")


def check_ways(client, subject, findings):
    """Checks that an image gives the same response by its name, as an upload, in base64, as the body and in a batch."""
    data = subject.images[0].read_bytes()
    question = {"target": "top:2", "method": "clrp1", "through": [subject.through]}
    expected = client.ask("explain", {**question, "image": subject.image(0)}, NPY)
    upload = client.request("POST", "/api/images?" + urlencode({"name": "a b.png"}, quote_via=quote), data, Content_Type="application/octet-stream")
    found = upload.json()
    findings.expect("ways", upload.status == 201 and found["name"] == "a b.png", f"upload: {upload.status} {found}")
    for way, fields in (("upload", {"image": found["id"]}), ("base64", {"data": base64.b64encode(data).decode()})):
        answer = client.ask("explain", {**question, **fields}, NPY)
        findings.expect("ways", answer.body == expected.body, f"{way}: {answer.status}, another answer than by name")
    for kind in ("image/png", "image/jpeg", "application/octet-stream"):
        address = "/api/explain?" + urlencode({**question, "client": client.name}, doseq=True, quote_via=quote)
        answer = client.request("POST", address, data, Content_Type=kind, Accept=NPY)
        findings.expect("ways", answer.body == expected.body, f"body of type {kind}: {answer.status}, another answer than by name")
    lines = client.lines("batch", {"target": "top:1", "method": "lrp"})
    rows = [line["found"] for line in lines if "found" in line]
    done = [line["done"] for line in lines]
    findings.expect("ways", len(rows) == len(subject.images) and done == list(range(1, len(done) + 1)), f"batch: {len(rows)} rows, {lines[-1]}")
    for row in rows:
        answer = client.ask("explain", {"image": row["image"], "method": "lrp"}, PNG)
        findings.expect("ways", base64.b64decode(row["overlay"]) == answer.body, f"batch: {row['image']}: another overlay than that of explain")
    page = client.ask("page", {"image": subject.image(0), "methods": ["lrp", "clrp1"]})
    findings.expect("ways", page.status == 200 and b"<html" in page.body[:2000].lower(), f"page: {page.status} {page.type}")


def check_connections(server, subject, findings):
    """Checks that the connection works after a rejected request."""
    for method, path, body in (("POST", "/api/predict", '{"image": 1}'), ("POST", "/api/predict", '{"x": 1}'), ("GET", "/api/nothing", None)):
        client = server.client("connections")
        status = client.request(method, path, body).status
        time.sleep(0.5)
        try:
            after = client.ask("predict", {"image": subject.image(0)}).status
        except OSError as error:
            after = repr(error)
        findings.expect("connections", status in (400, 404) and after == 200, f"{method} {path} {body}: {status}, then {after}")
        client.close()


def check_parity(client, tool, subject, findings):
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "table.yaml")
        table.write_text(YAML)
        settings = [
            Setting("default", [], {}), Setting("EpsilonPlusFlat", ["--rules", "EpsilonPlusFlat"], {"table": "EpsilonPlusFlat"}),
            Setting("YAML", ["--rules", str(table)], {"rules": YAML}), Setting("whole", ["--fit", "whole"], {"fit": "whole"}),
            Setting("native", ["--fit", "native"], {"fit": "native"}),
            Setting("through", ["--through", subject.through], {"through": [subject.through]}),
            Setting("not exclusive", ["--through", subject.through, "--no-exclusive"], {"through": [subject.through], "exclusive": False})]
        methods = [method.format(other=subject.other) for method in METHODS]
        for_units = [method for method in methods if method.split(":")[0] not in CLASSES_ONLY]
        for setting in settings:
            check_explanations(client, tool, subject, setting, ["top:1", f"class:{subject.target}"], methods, findings)
            check_explanations(client, tool, subject, setting, [subject.unit], for_units, findings)
            if not setting.fields.get("through"):
                check_predictions(client, tool, subject, setting, findings)
        for target, method in ((subject.unit, "clrp1"), ("class:1000000", "lrp"), ("unit:nothing/0", "lrp"), ("top:1", "nothing")):
            check_explanations(client, tool, subject, settings[0], [target], [method], findings)


def main():
    given = arguments()
    findings, images, start = Findings(), chosen(given.images, given.count), time.monotonic()
    with Server(given.explorer, given.tool, [given.model], [str(image) for image in images], given.memory) as server:
        client = server.client("parity")
        overview = client.get("/api/overview").json()
        asked = subject(client, given.model, images)
        findings.expect("ways", sorted(overview["images"]) == sorted(map(asked.image, range(len(images)))), f"overview: {overview['images']}")
        check_parity(client, given.tool, asked, findings)
        check_ways(client, asked, findings)
        check_connections(server, asked, findings)
        client.close()
        compared = ", ".join(f"{count} {kind}" for kind, count in findings.compared.items())
        print(f"parity: {compared} compared in {time.monotonic() - start:.0f} s", flush=True)
        figures = load.check(server, asked, given, findings)
    print(f"parity: {given.model}: {len(findings.failures)} failures; {figures}")
    return 1 if findings.failures else 0


if __name__ == "__main__":
    sys.exit(main())
