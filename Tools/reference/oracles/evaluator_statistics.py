"""The statistics of an evaluation over units, images and classes, from the definitions: exact sums, rounded once."""

import math
from fractions import Fraction

from oracles.evaluators import exact

# Units


def dominant_rows(matrix):
    """The number of rows whose diagonal entry is > 0 and not exceeded by another entry of the row."""
    return sum(bool(matrix[i, i] > 0 and matrix[i, i] == max(matrix[i])) for i in range(len(matrix)))


def diagonal_means(matrix):
    """The means on and off the diagonal; None without entries."""
    n = range(len(matrix))
    on = exact([matrix[i, i] for i in n])
    off = exact([matrix[i, j] for i in n for j in n if i != j])
    return float(sum(on) / len(on)), float(sum(off) / len(off)) if off else None


# Uncertainty


def resampled_means(values, indices):
    """For each row of indices, the mean of the drawn values."""
    values = exact(values)
    return [float(sum(values[i] for i in row) / len(row)) for row in indices]


def resampled_ratios(numerators, denominators, indices):
    """For each row of indices, the ratio of the sums of the drawn values."""
    a, b = exact(numerators), exact(denominators)
    return [float(sum(a[i] for i in row) / sum(b[i] for i in row)) for row in indices]


def percentile(values, percent):
    """The percentile with linear interpolation between order statistics, at the position percent/100 · (count − 1). `percent` is a Fraction."""
    values = sorted(exact(values))
    position = percent / 100 * (len(values) - 1)
    low = math.floor(position)
    high = min(low + 1, len(values) - 1)
    return float(values[low] + (position - low) * (values[high] - values[low]))


def interval(values):
    """The 95 % percentile interval."""
    return [percentile(values, Fraction("2.5")), percentile(values, Fraction("97.5"))]


def class_mean(pairs):
    """The mean over the classes of the share of hits, for pairs (class, hit)."""
    rates = []
    for name in sorted({name for name, _ in pairs}):
        hits = [hit for other, hit in pairs if other == name]
        rates.append(Fraction(sum(hits), len(hits)))
    return float(sum(rates) / len(rates))
