"""Writes all fixtures of this folder, in order.

    python -m writers.write_fixtures --scratch FOLDER [--models FOLDER]

Exports the networks, and then writes logits, single operators, single layers, relevance maps and the manifest. Without SqueezeNet's weights, its
fixtures are not changed; without zennit-crp, the fixtures of concepts are not changed.
"""

import argparse
import importlib.util
import pathlib
import subprocess
import sys

from writers.write_squeezenet import NAME, default_models


def run(module, *arguments):
    print(f"== {module}", flush=True)
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", required=True, help="a folder for the generated weights (2.8 GB)")
    parser.add_argument("--models", default=default_models(), help="the folder of the models (default: that of Tools/models/fetch)")
    arguments = parser.parse_args()
    scratch = ("--scratch", arguments.scratch)
    run("writers.export_networks")
    run("writers.write_logits", *scratch)
    run("writers.write_operators")
    run("writers.write_quantized")
    run("checks.check_oracle")
    run("writers.write_maps", *scratch)
    run("writers.write_rule_cases")
    run("checks.check_evaluators")
    run("writers.write_evaluators")
    run("writers.write_composites", *scratch)
    if (pathlib.Path(arguments.models) / NAME / "model.onnx").exists():
        run("writers.write_squeezenet", "--models", str(arguments.models))
    else:
        print(f"== {NAME} is not in {arguments.models}: its logits and maps are not changed", flush=True)
    if importlib.util.find_spec("crp"):
        run("writers.write_concepts", "--networks", *scratch)
        run("checks.check_concepts", *scratch)
    else:
        print("== zennit-crp is not installed: concepts are not changed", flush=True)
    run("writers.write_transformers")
    run("writers.write_activation_cases")
    run("writers.write_methods", *scratch, "--models", str(arguments.models))
    run("checks.check_methods", *scratch, "--models", str(arguments.models))
    run("writers.write_manifest")


if __name__ == "__main__":
    main()
