"""The evaluation of explanations, from the definitions: slow and as exact as possible.

Maps are float64 arrays [H, W] of saliencies ≥ 0. Pixels are numbered in row-major order. Sums, and decisions that compare sums, are exact (a float is a
fraction); returned values are rounded once. `evaluator_statistics.py` computes statistics over units and images, and `checks/check_evaluators.py`
compares with functions of NumPy and SciPy.
"""

import math
from fractions import Fraction

import numpy as np

# The tolerance between exact sums that are rounded once and sums in double precision, relative to the value or to 1 if that is larger.
TOLERANCE = 1e-12


def exact(values):
    """The same numbers as fractions, in row-major order."""
    return [Fraction(float(value)) for value in np.ravel(values)]


# Saliency and regions


def saliency(relevance, kind):
    """The map of a float32 relevance [C, H, W]: `sum`, the positive part of the sum over channels, or `magnitude`, the largest |R|.

    The sum is taken in single precision, channel by channel.
    """
    channels, height, width = relevance.shape
    result = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            if kind == "sum":
                total = relevance[0, row, column]
                for channel in range(1, channels):
                    total = np.float32(total + relevance[channel, row, column])
                result[row, column] = max(0.0, float(total))
            else:
                result[row, column] = max(abs(float(relevance[channel, row, column])) for channel in range(channels))
    return result


def region(height, width, boxes, tolerance):
    """Whether each pixel is inside: its center is in a box, or it is at most `tolerance` away from such a pixel.

    A box is left, top, right, bottom, in pixels; the left and top edges belong to it, the right and bottom edges do not.
    """
    inside = np.zeros((height, width), dtype=bool)
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5, row + 0.5
            inside[row, column] = any(left <= x < right and top <= y < bottom for left, top, right, bottom in boxes)
    rows, columns = np.nonzero(inside)
    if not len(rows):
        return inside
    near = np.zeros_like(inside)
    for row in range(height):
        for column in range(width):
            squared_distance = ((rows - row) ** 2 + (columns - column) ** 2).min()
            near[row, column] = squared_distance <= tolerance**2
    return near


# The pointing game


def ranking(values):
    """The pixels in descending order of saliency; equal ones in ascending order of their number."""
    values = np.ravel(values)
    return sorted(range(len(values)), key=lambda pixel: (-values[pixel], pixel))


def kept_count(values, threshold):
    """The number of pixels in the shortest prefix of the ranking that contains a share `threshold` (a Fraction) of the energy."""
    values, held = exact(values), Fraction(0)
    goal = threshold * sum(values)
    for count, pixel in enumerate(ranking(values), start=1):
        held += values[pixel]
        if held >= goal:
            return count
    raise ValueError(f"threshold: expected at most 1, found {threshold}")


def purity(values, inside):
    """The share of the energy that is ranked before the first outside pixel, a Fraction; a pixel of saliency 0 is never outside."""
    values, inside, held = exact(values), np.ravel(inside), Fraction(0)
    total = sum(values)
    if total == 0:
        return Fraction(0)
    for pixel in ranking(values):
        if values[pixel] > 0 and not inside[pixel]:
            return held / total
        held += values[pixel]
    return Fraction(1)


def energy_share(values, inside):
    """The share of the energy that is inside, a Fraction; 0 for a zero map."""
    values = exact(values)
    total = sum(values)
    return sum(v for v, inner in zip(values, np.ravel(inside)) if inner) / total if total else Fraction(0)


def points_inside(values, inside):
    """Whether the map's maximum, the first of equal ones, is inside; false for a zero map."""
    return bool(np.max(values) > 0 and np.ravel(inside)[ranking(values)[0]])


def hit(values, inside, threshold):
    """Whether all pixels of the shortest prefix with a share `threshold` (a Fraction) of the energy are inside."""
    if not np.any(values > 0):
        return False
    kept = ranking(values)[: kept_count(values, threshold)]
    return all(bool(np.ravel(inside)[pixel]) for pixel in kept)


def box_area(boxes):
    """The sum of the areas of the boxes; a box whose edges are in the wrong order has area 0."""
    return sum(max(0, right - left) * max(0, bottom - top) for left, top, right, bottom in boxes)


def is_difficult(width, height, objects, name):
    """Whether class `name` is small in an image that contains another class; objects are (class, box)."""
    boxes = [box for other, box in objects if other == name]
    return box_area(boxes) < width * height / 4 and any(other != name for other, _ in objects)


# Ablation


def patch(center, side, shape):
    """The pixels of a patch that are in the image, as row and column."""
    (row, column), reach = center, side // 2
    rows = range(max(0, row - reach), min(shape[0], row + reach + 1))
    columns = range(max(0, column - reach), min(shape[1], column + reach + 1))
    return [(r, c) for r in rows for c in columns]


def patch_centers(values, count, side):
    """Row and column of up to `count` maxima, the first of equal ones, each outside the patches of the earlier ones; only values > 0."""
    taken, centers = np.zeros(values.shape, dtype=bool), []
    for _ in range(count):
        best = None
        for row in range(values.shape[0]):
            for column in range(values.shape[1]):
                if not taken[row, column] and values[row, column] > (0 if best is None else values[best]):
                    best = (row, column)
        if best is None:
            break
        centers.append(best)
        for pixel in patch(best, side, values.shape):
            taken[pixel] = True
    return centers


def ablated(image, other, centers, side):
    """An image [C, H, W] after each patch and all earlier ones have been replaced by the pixels of another image."""
    images, current = [], image.copy()
    for center in centers:
        for row, column in patch(center, side, image.shape[1:]):
            current[:, row, column] = other[:, row, column]
        images.append(current.copy())
    return images


# Grids


def grid_shares(values, n):
    """The share of the energy in each of n × n cells, a list of lists of Fractions; 0 for a zero map."""
    height, width = values.shape[0] // n, values.shape[1] // n
    total = sum(exact(values))

    def share(i, j):
        cell = values[i * height : (i + 1) * height, j * width : (j + 1) * width]
        return sum(exact(cell)) / total if total else Fraction(0)

    return [[share(i, j) for j in range(n)] for i in range(n)]


def cell_of_maximum(values, n):
    """The row-major number of the cell with the largest pixel, the first of equal ones; None for a zero map."""
    height, width = values.shape[0] // n, values.shape[1] // n
    best, cell = 0, None
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            if values[row, column] > best:
                best, cell = values[row, column], row // height * n + column // width
    return cell


# Similarity


def root_of_ratio(numerator, denominator):
    """numerator / √denominator for Fractions, with the numerator's sign."""
    magnitude = math.sqrt(numerator * numerator / denominator)
    return -magnitude if numerator < 0 else magnitude


def cosine(a, b):
    """Σ a b / √(Σ a² Σ b²); 0 if one map is zero."""
    a, b = exact(a), exact(b)
    norms = sum(x * x for x in a) * sum(y * y for y in b)
    return root_of_ratio(sum(x * y for x, y in zip(a, b)), norms) if norms else 0.0


def average_ranks(values):
    """The rank of each value, starting at 1; equal values have the mean of their ranks, a multiple of ½."""
    values = np.ravel(values)
    ranks = []
    for value in values:
        smaller, equal = int((values < value).sum()), int((values == value).sum())
        ranks.append(smaller + Fraction(equal + 1, 2))
    return ranks


def rank_correlation(a, b):
    """Spearman's rank correlation: Pearson's correlation of the average ranks; 0 if one map is constant."""
    a, b = average_ranks(a), average_ranks(b)
    mean = Fraction(len(a) + 1, 2)
    variances = sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b)
    covariance = sum((x - mean) * (y - mean) for x, y in zip(a, b))
    return root_of_ratio(covariance, variances) if variances else 0.0


# Deletion and insertion


def replaced_counts(pixels, steps):
    """The number of replaced pixels after each step: ⌈i H W / S⌉, i = 1 … S."""
    return [-(-step * pixels // steps) for step in range(1, steps + 1)]


def replaced(image, other, pixels):
    """An image [C, H, W] in which the pixels with the given numbers are replaced by those of another image."""
    result, width = image.copy(), image.shape[2]
    for pixel in pixels:
        result[:, pixel // width, pixel % width] = other[:, pixel // width, pixel % width]
    return result


def deletion(values, image, other, steps):
    """The image after each step, with its most salient pixels replaced."""
    order = ranking(values)
    return [replaced(image, other, order[:count]) for count in replaced_counts(values.size, steps)]


def insertion(values, image, other, steps):
    """The other image after each step, with the image's most salient pixels."""
    order = ranking(values)
    return [replaced(other, image, order[:count]) for count in replaced_counts(values.size, steps)]


def area_under_curve(values):
    """The area under S + 1 values at i / S, by the trapezoidal rule."""
    values, steps = exact(values), len(values) - 1
    return float(sum((values[i] + values[i + 1]) / 2 / steps for i in range(steps)))
