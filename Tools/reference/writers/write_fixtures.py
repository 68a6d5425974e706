"""Write everything under Fixtures that this folder generates, in order.

    python -m writers.write_fixtures --scratch FOLDER [--models FOLDER]

Exports the networks, then writes logits, single operators, single layers, relevance maps and the manifest. SqueezeNet's part is skipped,
and what the repository has of it kept, when its weights are not there; so is the concepts' without zennit-crp.
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
    parser.add_argument("--scratch", required=True, help="folder for the generated weights (2.8 GB)")
    parser.add_argument("--models", default=default_models(), help="folder of models; default: where fetch puts them")
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
        print(f"== no {NAME} in {arguments.models}: its logits and maps stay as they are", flush=True)
    if importlib.util.find_spec("crp"):
        run("writers.write_concepts", "--networks", *scratch)
        run("checks.check_concepts", *scratch)
    else:
        print("== no zennit-crp: concepts stay as they are", flush=True)
    run("writers.write_transformers")
    run("writers.write_activation_cases")
    run("writers.write_methods", *scratch, "--models", str(arguments.models))
    run("checks.check_methods", *scratch, "--models", str(arguments.models))
    run("writers.write_manifest")


if __name__ == "__main__":
    main()
