"""Write everything under Fixtures that this folder generates, in order.

    python write_fixtures.py --scratch FOLDER [--models FOLDER]

Exports the networks, then writes logits, single operators, single layers, relevance maps and the manifest. SqueezeNet's part is skipped,
and what the repository has of it kept, when its weights are not there.
"""

import argparse
import pathlib
import subprocess
import sys

from write_squeezenet import NAME, default_models

HERE = pathlib.Path(__file__).resolve().parent


def run(script, *arguments):
    print(f"== {script}", flush=True)
    subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", required=True, help="folder for the generated weights (2.8 GB)")
    parser.add_argument("--models", default=default_models(), help="folder of models; default: where fetch puts them")
    arguments = parser.parse_args()
    scratch = ("--scratch", arguments.scratch)
    run("export_networks.py")
    run("write_logits.py", *scratch)
    run("write_operators.py")
    run("check_oracle.py")
    run("write_maps.py", *scratch)
    run("write_rule_cases.py")
    run("evaluators.py", "--check")
    run("write_evaluators.py")
    run("write_composites.py", *scratch)
    if (pathlib.Path(arguments.models) / NAME / "model.onnx").exists():
        run("write_squeezenet.py", "--models", str(arguments.models))
    else:
        print(f"== no {NAME} in {arguments.models}: its logits and maps stay as they are", flush=True)
    run("write_activation_cases.py")
    run("write_methods.py", *scratch, "--models", str(arguments.models))
    run("check_methods.py", *scratch, "--models", str(arguments.models))
    run("write_manifest.py")


if __name__ == "__main__":
    main()
