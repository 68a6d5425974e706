"""How far maps in fixed point are from what they were made of: prints each file's relative L2 distance, and how much of the tolerance of the
tests that is. Fails where it is more than a tenth.

    python -m checks.check_storage --revision REVISION

Compares each `.npz` file with the `.npy` file of the same name in another revision of the repository, where maps are float32. Maps that the
revision does not have in this size are counted only. `storage.save_map` keeps the distance below `storage.ERROR` for all maps.
"""

import argparse
import io
import subprocess

import numpy as np

from storage import FIXTURES, distance, load_map

TOLERANCE = 1e-3  # the smallest that a map is compared with: Tests/TestSupport/Tolerance.swift


def original(revision, path, shape):
    """The map in the other revision, or None."""
    name = f"{revision}:Fixtures/{path.relative_to(FIXTURES).with_suffix('.npy').as_posix()}"
    found = subprocess.run(["git", "show", name], cwd=FIXTURES, capture_output=True)
    if found.returncode:
        return None
    array = np.load(io.BytesIO(found.stdout))
    return array.astype(np.float64) if array.shape == shape and array.dtype == np.float32 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revision", required=True, help="a commit, branch or tag of this repository")
    revision = parser.parse_args().revision
    errors, absent = [], 0
    for path in sorted(FIXTURES.rglob("*.npz")):
        values = load_map(path).astype(np.float64)
        expected = original(revision, path, values.shape)
        if expected is None:
            absent += 1
            continue
        errors.append(distance(values, expected))
        print(f"{path.relative_to(FIXTURES)}: {errors[-1]:.2e}, {errors[-1] / TOLERANCE:.1%} of the tolerance")
    if not errors:
        raise SystemExit(f"{revision} has none of the maps")
    print(f"{len(errors)} maps, largest distance {max(errors):.2e}, {max(errors) / TOLERANCE:.1%} of the tolerance; {absent} not in {revision}")
    if max(errors) > TOLERANCE / 10:
        raise SystemExit("more than a tenth of the tolerance")


if __name__ == "__main__":
    main()
