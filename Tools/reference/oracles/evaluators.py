"""The evaluation of explanations, from the definitions: slow, and as exact as can be.

Maps are float64 arrays [H, W] of saliencies ≥ 0. Pixels are numbered in row-major order. Sums, and all that is decided
by comparing them, are exact (a float is a fraction); what is returned is rounded once. `evaluator_statistics.py` sums up over units
and images, `checks/check_evaluators.py` compares with what NumPy and SciPy have of the same definitions.
"""

import math
from fractions import Fraction

import numpy as np

# Relative to the value, or to 1 if that is more: between exact sums that are rounded once and sums in double precision.
TOLERANCE = 1e-12


def exact(values):
    """The same numbers as fractions, in row-major order."""
    return [Fraction(float(value)) for value in np.ravel(values)]


# Saliency and regions


def saliency(relevance, kind):
    """A float32 relevance [C, H, W] as a map: `sum`, the positive part of the sum over channels, or `magnitude`, the largest |R|.

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
    """Which pixels are inside: their center is in one of the boxes, or they are at most `tolerance` from such a pixel.

    A box is left, top, right, bottom, in pixels; the left and top edge belong to it, the right and bottom one do not.
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
    """The pixels by falling saliency, equal ones by rising number."""
    values = np.ravel(values)
    return sorted(range(len(values)), key=lambda pixel: (-values[pixel], pixel))


def kept_count(values, threshold):
    """The number of pixels in the shortest prefix of the ranking that holds a share `threshold` of the energy, a Fraction."""
    values, held = exact(values), Fraction(0)
    goal = threshold * sum(values)
    for count, pixel in enumerate(ranking(values), start=1):
        held += values[pixel]
        if held >= goal:
            return count
    raise ValueError(f"threshold: expected at most 1, found {threshold}")


def purity(values, inside):
    """The share of the energy that is ranked before the first pixel outside, a Fraction; a pixel of saliency 0 is never outside."""
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
    """The share of the energy that is inside, a Fraction; 0 of a map that is zero."""
    values = exact(values)
    total = sum(values)
    return sum(v for v, inner in zip(values, np.ravel(inside)) if inner) / total if total else Fraction(0)


def points_inside(values, inside):
    """Whether the map's maximum, the first of equal ones, is inside; a map that is zero has none."""
    return bool(np.max(values) > 0 and np.ravel(inside)[ranking(values)[0]])


def hit(values, inside, threshold):
    """Whether all pixels that hold a share `threshold` of the energy, a Fraction, are inside."""
    if not np.any(values > 0):
        return False
    kept = ranking(values)[: kept_count(values, threshold)]
    return all(bool(np.ravel(inside)[pixel]) for pixel in kept)


def box_area(boxes):
    """The summed area of boxes, each by itself; one whose edges are in the wrong order has none."""
    return sum(max(0, right - left) * max(0, bottom - top) for left, top, right, bottom in boxes)


def is_difficult(width, height, objects, name):
    """Whether class `name` is small in an image and not alone; objects are (class, box)."""
    boxes = [box for other, box in objects if other == name]
    return box_area(boxes) < width * height / 4 and any(other != name for other, _ in objects)


# Ablation


def patch(center, side, shape):
    """The pixels, as row and column, of a patch, as far as they are in the image."""
    (row, column), reach = center, side // 2
    rows = range(max(0, row - reach), min(shape[0], row + reach + 1))
    columns = range(max(0, column - reach), min(shape[1], column + reach + 1))
    return [(r, c) for r in rows for c in columns]


def patch_centers(values, count, side):
    """Row and column of up to `count` maxima, the first of equal ones, each outside the patches of those before; none where it is 0."""
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
    """A image [C, H, W] after each of the patches, all of those before included, has been replaced by another image's pixels."""
    images, current = [], image.copy()
    for center in centers:
        for row, column in patch(center, side, image.shape[1:]):
            current[:, row, column] = other[:, row, column]
        images.append(current.copy())
    return images


# Grids


def grid_shares(values, n):
    """The share of the energy in each of n × n cells, a list of lists of Fractions; zero for a map that is zero."""
    height, width = values.shape[0] // n, values.shape[1] // n
    total = sum(exact(values))

    def share(i, j):
        cell = values[i * height : (i + 1) * height, j * width : (j + 1) * width]
        return sum(exact(cell)) / total if total else Fraction(0)

    return [[share(i, j) for j in range(n)] for i in range(n)]


def cell_of_maximum(values, n):
    """The number, in row-major order, of the cell with the largest pixel, the first of equal ones; None for a map that is zero."""
    height, width = values.shape[0] // n, values.shape[1] // n
    best, cell = 0, None
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            if values[row, column] > best:
                best, cell = values[row, column], row // height * n + column // width
    return cell


# Similarity


def root_of_ratio(numerator, denominator):
    """numerator / √denominator of Fractions, with the numerator's sign."""
    magnitude = math.sqrt(numerator * numerator / denominator)
    return -magnitude if numerator < 0 else magnitude


def cosine(a, b):
    """Σ a b / √(Σ a² Σ b²); 0 if one map is zero."""
    a, b = exact(a), exact(b)
    norms = sum(x * x for x in a) * sum(y * y for y in b)
    return root_of_ratio(sum(x * y for x, y in zip(a, b)), norms) if norms else 0.0


def average_ranks(values):
    """The rank of each value, from 1; equal ones have the mean of their ranks, in halves."""
    values = np.ravel(values)
    ranks = []
    for value in values:
        smaller, equal = int((values < value).sum()), int((values == value).sum())
        ranks.append(smaller + Fraction(equal + 1, 2))
    return ranks


def rank_correlation(a, b):
    """Spearman's: Pearson's correlation of the average ranks; 0 if one map is constant."""
    a, b = average_ranks(a), average_ranks(b)
    mean = Fraction(len(a) + 1, 2)
    variances = sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b)
    covariance = sum((x - mean) * (y - mean) for x, y in zip(a, b))
    return root_of_ratio(covariance, variances) if variances else 0.0


# Deletion and insertion


def replaced_counts(pixels, steps):
    """How many pixels have been replaced after each of the steps: ⌈i H W / S⌉, i = 1 … S."""
    return [-(-step * pixels // steps) for step in range(1, steps + 1)]


def replaced(image, other, pixels):
    """A image [C, H, W] with some pixels, by number, of another image."""
    result, width = image.copy(), image.shape[2]
    for pixel in pixels:
        result[:, pixel // width, pixel % width] = other[:, pixel // width, pixel % width]
    return result


def deletion(values, image, other, steps):
    """The image after each step, its most salient pixels replaced."""
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
