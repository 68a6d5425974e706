"""Fixtures in little space: maps in fixed point, and text and packed cases in archives.

A map of `SMALLEST` elements or more is an `.npz` file with `planes`, uint8 [P, H, C, W], and `step`, float32; `load_map` is the definition of
what they mean. The step is chosen so that the relative L2 distance from the map is at most `ERROR`, a tenth of the smallest tolerance that maps
are compared with. A smaller map is a plain `.npy` file.
"""

import io
import json
import math
import pathlib
import zipfile

import numpy as np

from seeded import seeded_tensor

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Fixtures"
ERROR = 1e-4
SMALLEST = 4096
ARCHIVE = "packed.zip"


def write_archive(path, members):
    """A zip file with `members`, bytes by name; the same bytes in every run."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)


def pack(folder, members):
    """Puts members into the archive of a folder, in the place of those with the same names."""
    path = pathlib.Path(folder) / ARCHIVE
    path.parent.mkdir(parents=True, exist_ok=True)
    earlier = {}
    if path.exists():
        with zipfile.ZipFile(path) as archive:
            earlier = {name: archive.read(name) for name in archive.namelist()}
    encoded = {name: data.encode() if isinstance(data, str) else bytes(data) for name, data in members.items()}
    write_archive(path, dict(sorted((earlier | encoded).items())))


def read(path):
    """The bytes of a file, or of the member of that name in the archive beside where it would be."""
    path = pathlib.Path(path)
    if path.exists():
        return path.read_bytes()
    with zipfile.ZipFile(path.with_name(ARCHIVE)) as archive:
        return archive.read(path.name)


def save_input(name, array):
    """Puts an input into the archive of `inputs`; its path below the fixtures is `name`."""
    path = FIXTURES / name
    pack(path.parent, {path.name: npy(array)})


def npy(array):
    """The bytes of an array's `.npy` file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def load(path):
    """The array in a `.npy` file, or in a member of an archive."""
    return np.load(io.BytesIO(read(path)))


def map_name(stem, values):
    """The name of the file that holds a map."""
    return stem + (".npz" if math.prod(values.shape) >= SMALLEST else ".npy")


def save_map(folder, stem, values):
    """Writes a map [C, H, W]; the name of its file."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    path = pathlib.Path(folder) / map_name(stem, values)
    if path.suffix == ".npy":
        np.save(path, values.astype(np.float32))
    else:
        planes, step = fixed_point(values)
        write_archive(path, {"planes.npy": npy(planes), "step.npy": npy(step)})
    return path.name


def load_map(path):
    """The map in a file, float32 [C, H, W]."""
    if pathlib.Path(path).suffix == ".npy":
        return np.load(path)
    file = np.load(path)
    numbers = sum(plane.astype(np.int64) << 8 * index for index, plane in enumerate(file["planes"]))
    whole = (numbers >> 1) ^ -(numbers & 1)
    return np.ascontiguousarray((whole.astype(np.float32) * file["step"]).transpose(1, 0, 2))


def difference(path, values):
    """Relative L2 distance of a map from the one in a file, of each element less the half step that rounding may have taken."""
    slack = 0.5 * float(np.load(path)["step"][0]) if pathlib.Path(path).suffix == ".npz" else 0
    beyond = np.maximum(np.abs(load_map(path).astype(np.float64) - values) - slack, 0)
    return float(np.linalg.norm(beyond) / np.linalg.norm(values))


def fixed_point(values):
    """Whole numbers in bytes, the least significant first, and what to multiply them by.

    A negative number n is stored as -2n - 1, any other as 2n. Rows come before channels: where these are equal, as they are under a flat first
    layer, the repetition is near.
    """
    step = np.float32(ERROR * math.sqrt(12 * np.mean(values**2)))
    while distance(np.rint(values / step) * step, values) > ERROR:
        step = np.float32(step * 0.99)
    whole = np.rint(values / step).astype(np.int64).transpose(1, 0, 2)
    numbers = (whole << 1) ^ (whole >> 63)
    count = max(1, -(-int(numbers.max()).bit_length() // 8))
    return np.stack([(numbers >> 8 * index & 255).astype(np.uint8) for index in range(count)]), np.array([step])


def distance(found, expected):
    """Relative L2 distance."""
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def load_input(folder):
    """The input of an operator's case: stored, or described by shape and seed."""
    folder = pathlib.Path(folder)
    if (folder / "input.npy").exists():
        return np.load(folder / "input.npy")
    described = json.loads((folder / "input.json").read_text())
    return seeded_tensor(described["seed"], described["shape"])
