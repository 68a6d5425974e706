"""The inputs of the evaluation's cases: seeded relevance, maps, regions, labeled images, image pairs, curves, matrices and resamples."""

import math

import numpy as np

from oracles import evaluators as e
from seeded import seeded_bits, seeded_tensor

SHAPES = [
    (1, 1), (1, 2), (2, 1), (2, 2), (1, 7), (5, 1), (3, 3), (4, 6), (7, 5), (8, 8), (9, 16), (13, 11), (16, 9),
    (20, 30), (24, 24), (31, 17), (40, 50),
]  # fmt: skip
# Maps of these shapes have only values with few digits.
PLAIN = ((24, 24), (31, 17))
TOLERANCES = (0, 1, 2.5, 15)
# Complete orders of pixels are stored up to this size.
LARGEST_ORDER = 150


def whole(seed, shape, count):
    """Seeded integers from 0 to count − 1."""
    bits = seeded_bits(seed, math.prod(shape)) >> np.uint64(40)
    return (bits % np.uint64(count)).astype(int).reshape(shape)


def shape_name(shape):
    return f"{shape[0]}x{shape[1]}"


def relevances():
    """Relevance [C, H, W]: signed, integer, canceling, and with sums that depend on their order."""
    for index, shape in enumerate([(1, 1, 1), (3, 1, 1), (3, 2, 3), (1, 4, 5), (2, 6, 3), (3, 7, 8), (4, 5, 5), (5, 3, 4)]):
        values = seeded_tensor(1000 + index, shape)
        digits = (whole(1100 + index, shape, 19) - 9).astype(np.float32)
        # 1, 2⁻²⁴ and 2²⁴: the effect of a small summand depends on its place.
        powers = np.array([1, 2**-24, 2**24, 3, -(2**24), -1, 0.1, -0.0], dtype=np.float32)
        wide = powers[whole(1200 + index, shape, len(powers))]
        yield from (("signed", values), ("digits", digits), ("order matters", wide), ("negative", -abs(values)))
    yield "zero", np.zeros((3, 2, 2), dtype=np.float32)


def center(shape):
    """The position of the peak for this shape."""
    return int(whole(2000 + shape[0], (1,), shape[0])[0]), int(whole(2100 + shape[1], (1,), shape[1])[0])


def bump(shape):
    """A bell curve around the shape's center, between 0 and 1."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    squared_distances = (rows - center(shape)[0]) ** 2 + (columns - center(shape)[1]) ** 2
    return np.exp(-squared_distances / (1 + max(shape) ** 2 / 30))


def maps():
    """Name and values of every map; the values are float32 numbers."""
    for index, shape in enumerate(SHAPES):
        seed = 3000 + 10 * index
        digits, noise = whole(seed, shape, 10), whole(seed + 1, shape, 4)
        real = seeded_tensor(seed + 2, shape, 0, 1).astype(np.float64)
        kinds = {
            "digits": digits,
            "few": digits * (noise == 0),
            "bump": np.round(9 * bump(shape)) + (noise == 0),
            "zero": np.zeros(shape),
            "peak": np.where(np.arange(digits.size).reshape(shape) == digits.sum() % digits.size, 5, 0),
            "constant": np.full(shape, 3),
        }
        if shape not in PLAIN:
            kinds["real"] = real * bump(shape)
        if shape not in PLAIN and digits.size < 1000:
            # Values over twelve orders of magnitude, so that sums in double precision are rounded.
            kinds["wide"] = 10 ** (12 * real - 8)
        for kind, values in kinds.items():
            yield f"{kind} {shape_name(shape)}", np.asarray(values, dtype=np.float32).astype(np.float64)
    # Prefixes of the ranking contain exactly 29, 57, ... and 7 % of the energy.
    yield "hundred 3x3", np.array([[29, 7, 7], [7, 28, 7], [7, 1, 7]], dtype=np.float64)
    yield "hundred 10x10", np.array([7] + 93 * [1] + 6 * [0], dtype=np.float64).reshape(10, 10)


def box_sets(shape, seed):
    """Boxes of all kinds for maps of one shape, by name: left, top, right, bottom."""
    height, width = shape
    row, column = center(shape)
    a, b, c, d = seeded_tensor(seed, (4,), 0, 1).astype(np.float64).round(2)
    left, top = round(a * width, 2), round(b * height, 2)
    random = [left, top, round(left + c * width / 2, 2), round(top + d * height / 2, 2)]
    return {
        "none": [],
        "whole": [[0, 0, width, height]],
        "no area": [[1, 0, 1, height], [0, 0, width, 0]],
        "edges in the wrong order": [[width, 0, 0, height]],
        "outside": [[-5, -5, -1, -1], [width + 1, 0, width + 4, height], [0, height, width, height + 2]],
        "partly outside": [[-2.5, -1, width / 2, height / 3 + 1]],
        "between centers": [[0.6, 0, 1.4, height]],
        "one column of centers": [[0.5, 0, 0.75, height]],
        "centers on the right edge": [[0.25, -1, 1.5, height - 0.5]],
        "one pixel": [[width - 1, height - 1, width, height]],
        "overlapping": [[0, 0, width / 2 + 1, height / 2], [width / 4, height / 4, width - 0.3, height]],
        "far apart": [[0, 0, 1, 1], [width - 2, height - 1.5, width, height]],
        "random": [random],
        "around the bump": [[column - 1, row - 1, column + 2, row + 2]],
        "wide around the bump": [[column - width / 4, row - height / 4, column + 1 + width / 4, row + 1 + height / 4]],
    }


def regions(every_map):
    """Name, shape, boxes and tolerance of every region."""
    for i, shape in enumerate([*SHAPES, (10, 10)]):
        for j, (name, boxes) in enumerate(box_sets(shape, 4000 + i).items()):
            # The boxes of the bump without and with a small margin; the other boxes alternate between the margins.
            tolerance = (0, 1)[i % 2] if "bump" in name else TOLERANCES[(i + j) % 4]
            yield f"{name} {shape_name(shape)} {tolerance}", shape, boxes, tolerance
    box = [[1.25, 2, 3.5, 4.75]]
    for tolerance in (*TOLERANCES, 1.4, 2, 5):
        yield f"every margin 13x11 {tolerance}", (13, 11), box, tolerance
        yield f"every margin 40x50 {tolerance}", (40, 50), [*box, [30, 20.5, 40, 22]], tolerance
    yield "first 3x3", (3, 3), [[0, 0, 1, 1]], 0
    yield "first two 3x3", (3, 3), [[0, 0, 1, 1], [1, 1, 2, 2]], 0
    yield "first three 3x3", (3, 3), [[0, 0, 2, 1], [1, 1, 2, 2]], 0
    yield "all but the last 3x3", (3, 3), [[0, 0, 3, 2], [0, 2, 1, 3], [2, 2, 3, 3]], 0
    yield "first 10x10", (10, 10), [[0, 0, 1, 1]], 0
    yield "first half 10x10", (10, 10), [[0, 0, 10, 5]], 0
    yield "except zeros 10x10", (10, 10), [[0, 0, 10, 9], [0, 9, 4, 10]], 0
    # The first pixels of a map's ranking, so that its purity is neither 0 nor 1.
    for index, (name, values) in enumerate(every_map.items()):
        if name.split()[0] in ("digits", "bump", "real", "wide") and 4 < values.size <= LARGEST_ORDER:
            count = 1 + int(whole(4500 + index, (1,), 10)[0])
            places = [divmod(pixel, values.shape[1]) for pixel in e.ranking(values)[:count]]
            yield f"first {count} of {name}", values.shape, [[c, r, c + 1, r + 1] for r, c in places], 0


def labeled_images():
    """Name, width, height and labeled boxes of images."""
    yield "alone and small", 100, 80, [("cat", [0, 0, 10, 10])]
    yield "large and small", 100, 80, [("cat", [0, 0, 90, 80]), ("dog", [5, 5, 20, 30])]
    yield "exactly a quarter", 100, 80, [("cat", [0, 0, 50, 40]), ("dog", [60, 60, 70, 70])]
    yield "just below a quarter", 100, 80, [("cat", [0, 0, 50, 39.75]), ("dog", [60, 60, 70, 70])]
    yield "a quarter of two", 100, 80, [("cat", [0, 0, 25, 40]), ("cat", [50, 0, 75, 40]), ("dog", [60, 60, 70, 70])]
    yield "overlapping boxes count twice", 100, 80, [("cat", [0, 0, 40, 40]), ("cat", [0, 0, 40, 40]), ("dog", [1, 1, 2, 2])]
    yield "two of one class", 100, 80, [("cat", [0, 0, 10, 10]), ("cat", [50, 50, 60, 60])]
    yield "three classes", 33, 47, [("a", [0, 0, 33, 12]), ("b", [1, 1, 30, 40]), ("c", [0.5, 0.5, 1, 1]), ("a", [0, 20, 3, 40])]
    yield "no boxes", 10, 10, []
    for index in range(12):
        width, height = (int(side) for side in 20 + whole(5000 + index, (2,), 400))
        corners = seeded_tensor(5100 + index, (int(whole(5200 + index, (1,), 6)[0]) + 1, 4), 0, 1).astype(np.float64)
        names = whole(5300 + index, (len(corners),), 3)
        sides = [[round(a * width), round(b * height), round((a + c * (1 - a)) * width), round((b + d * (1 - b)) * height)]
                 for a, b, c, d in corners]  # fmt: skip
        yield f"random {index}", width, height, [("cat dog horse".split()[name], box) for name, box in zip(names, sides)]


def image_pair(shape):
    """Two images [3, H, W] whose values identify their elements: i in the image, −1 − i in the other."""
    image = np.arange(3 * math.prod(shape), dtype=np.float32).reshape(3, *shape)
    return image, -1 - image


def curves():
    """Values at equal distances."""
    yield from ([1, 0], [0, 0, 0], [3, 3, 3, 3], [0, 1, 4, 9, 16])
    for low in (0, -1):
        for steps in (1, 2, 3, 10, 49, 50):
            yield seeded_tensor(6000 + steps, (steps + 1,), low, 1).astype(np.float64)


def matrices():
    yield "one, positive", np.array([[2.0]])
    yield "one, zero", np.array([[0.0]])
    yield "identity", np.eye(4)
    yield "all equal", np.ones((3, 3))
    yield "zero", np.zeros((3, 3))
    yield "all negative, diagonal largest", np.eye(3) - 2
    yield "rows and columns differ", np.array([[5, 1, 9], [4, 6, 2], [7, 8, 9]], dtype=np.float64)
    for n in range(2, 9):
        yield f"random {n}", seeded_tensor(7000 + n, (n, n)).astype(np.float64)
        yield f"random {n} with a strong diagonal", seeded_tensor(7100 + n, (n, n)).astype(np.float64) + 0.7 * np.eye(n)
        yield f"digits {n}", whole(7200 + n, (n, n), 10) + 3.0 * np.eye(n)


def resamples():
    """The images that each resample draws; and for each image a value, hits and pairs."""
    for index, (images, count) in enumerate([(1, 1), (1, 7), (2, 2), (3, 41), (5, 40), (12, 1000), (30, 101), (40, 21)]):
        indices = whole(8000 + index, (count, images), images)
        values = seeded_tensor(8100 + index, (images,), -1, 1).astype(np.float64)
        pairs = 1 + whole(8200 + index, (images,), 4)
        yield indices, values, np.minimum(pairs, whole(8300 + index, (images,), 5)), pairs


def class_hits():
    """Lists of pairs (class, hit)."""
    for index, count in enumerate((1, 2, 5, 20, 60)):
        names, hits = whole(9000 + index, (count,), 2 + index), whole(9100 + index, (count,), 2)
        yield [(int(name), bool(hit)) for name, hit in zip(names, hits)]
