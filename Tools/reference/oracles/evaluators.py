"""The evaluation of explanations, from the definitions: slow, and as exact as can be.

    python -m oracles.evaluators --check

Maps are float64 arrays [H, W] of saliencies ≥ 0. Pixels are numbered in row-major order. Sums, and all that is decided
by comparing them, are exact (a float is a fraction); what is returned is rounded once. The check compares with what
NumPy and SciPy have of the same definitions.
"""

import argparse
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
    """The pixels, as row and column, of a patch, as far as they are in the picture."""
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


def ablated(picture, other, centers, side):
    """A picture [C, H, W] after each of the patches, all of those before included, has been replaced by another picture's pixels."""
    pictures, current = [], picture.copy()
    for center in centers:
        for row, column in patch(center, side, picture.shape[1:]):
            current[:, row, column] = other[:, row, column]
        pictures.append(current.copy())
    return pictures


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


def replaced(picture, other, pixels):
    """A picture [C, H, W] with some pixels, by number, of another picture."""
    result, width = picture.copy(), picture.shape[2]
    for pixel in pixels:
        result[:, pixel // width, pixel % width] = other[:, pixel // width, pixel % width]
    return result


def deletion(values, image, other, steps):
    """The image after each step, its most salient pixels replaced."""
    order = ranking(values)
    return [replaced(image, other, order[:count]) for count in replaced_counts(values.size, steps)]


def insertion(values, image, other, steps):
    """The other picture after each step, with the image's most salient pixels."""
    order = ranking(values)
    return [replaced(other, image, order[:count]) for count in replaced_counts(values.size, steps)]


def area_under_curve(values):
    """The area under S + 1 values at i / S, by the trapezoidal rule."""
    values, steps = exact(values), len(values) - 1
    return float(sum((values[i] + values[i + 1]) / 2 / steps for i in range(steps)))


# Units


def dominant_rows(matrix):
    """The number of rows whose entry on the diagonal is > 0 and none is larger."""
    return sum(bool(matrix[i, i] > 0 and matrix[i, i] == max(matrix[i])) for i in range(len(matrix)))


def diagonal_means(matrix):
    """The means on the diagonal and off it; None where there is no entry."""
    n = range(len(matrix))
    on = exact([matrix[i, i] for i in n])
    off = exact([matrix[i, j] for i in n for j in n if i != j])
    return float(sum(on) / len(on)), float(sum(off) / len(off)) if off else None


# Uncertainty


def resampled_means(values, indices):
    """For each row of indices the mean of the values it draws."""
    values = exact(values)
    return [float(sum(values[i] for i in row) / len(row)) for row in indices]


def resampled_ratios(numerators, denominators, indices):
    """For each row of indices the ratio of the sums of what it draws."""
    a, b = exact(numerators), exact(denominators)
    return [float(sum(a[i] for i in row) / sum(b[i] for i in row)) for row in indices]


def percentile(values, percent):
    """Between order statistics, linearly: the position is percent/100 · (count − 1). `percent` is a Fraction."""
    values = sorted(exact(values))
    position = percent / 100 * (len(values) - 1)
    low = math.floor(position)
    high = min(low + 1, len(values) - 1)
    return float(values[low] + (position - low) * (values[high] - values[low]))


def interval(values):
    """The percentile interval of 95 %."""
    return [percentile(values, Fraction("2.5")), percentile(values, Fraction("97.5"))]


def class_mean(pairs):
    """The mean over the classes of pairs (class, hit) of the share of hits."""
    rates = []
    for name in sorted({name for name, _ in pairs}):
        hits = [hit for other, hit in pairs if other == name]
        rates.append(Fraction(sum(hits), len(hits)))
    return float(sum(rates) / len(rates))


# The check

COUNTS = {}


def check(name, found, expected):
    """Compare, and count."""
    found, expected = (np.asarray(values, dtype=np.float64) for values in (found, expected))
    if found.shape != expected.shape or np.any(abs(found - expected) > TOLERANCE * np.maximum(1, abs(expected))):
        raise SystemExit(f"{name}: expected {expected}, found {found}")
    COUNTS[name] = COUNTS.get(name, 0) + 1


def check_region(random, shape):
    from scipy import ndimage

    boxes = [[*corner, *(corner + random.uniform(0, 8, 2))] for corner in random.uniform(-3, max(shape), (3, 2))]
    boxes[0] = np.round(np.multiply(boxes[0], 2)) / 2
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, dtype=bool)
    for left, top, right, bottom in boxes:
        inside |= (x >= left) & (x < right) & (y >= top) & (y < bottom)
    tolerance = random.choice([0, 1, 2.5, 15])
    near = ndimage.distance_transform_edt(~inside) <= tolerance if inside.any() else inside
    check("region: SciPy's distance transform", region(*shape, boxes, tolerance), near)
    return near


def check_pointing(values, inside):
    order = np.argsort(-values.ravel(), kind="stable")
    check("ranking: NumPy's stable sort", ranking(values), order)
    if not values.any():
        return
    shares = np.cumsum(values.ravel()[order]) / values.sum()
    outside = ~inside.ravel()[order] & (values.ravel()[order] > 0)
    first = np.argmax(outside) if outside.any() else None
    held = 1 if first is None else shares[first - 1] if first else 0
    check("purity: NumPy's cumulative sums", float(purity(values, inside)), held)
    check("energy share: NumPy's sums", float(energy_share(values, inside)), values[inside].sum() / values.sum())
    check("maximum: NumPy's argmax", points_inside(values, inside), inside.ravel()[values.argmax()])
    for threshold in ("0.05", "0.25", "0.5", "0.9", "1"):
        # The sum of whole numbers is exact; elsewhere rounding must not decide.
        if float(threshold) in shares or abs(shares - float(threshold)).min() > TOLERANCE:
            count = np.searchsorted(shares, float(threshold)) + 1
            check("prefix: NumPy's search in cumulative sums", kept_count(values, Fraction(threshold)), count)
        verdict = purity(values, inside) >= Fraction(threshold)
        check("hit: purity reaches the threshold", hit(values, inside, Fraction(threshold)), verdict)


def check_pictures(random, values):
    image = np.arange(3 * values.size, dtype=np.float32).reshape(3, *values.shape)
    other = -1 - image
    rest, mask = values.copy(), np.zeros(values.shape, dtype=bool)
    centers = patch_centers(values, 4, 5)
    for center, found in zip(centers, ablated(image, other, centers, 5)):
        check("patches: NumPy's argmax", center, np.unravel_index(rest.argmax(), rest.shape))
        part = tuple(slice(max(0, at - 2), at + 3) for at in center)
        rest[part], mask[part] = -1, True
        check("patches: NumPy's slices", found, np.where(mask, other, image))
    if len(centers) < 4:
        check("patches: fewer where nothing is left", rest.max() <= 0, True)
    steps = int(random.integers(1, 12))
    ranks = np.empty(values.size, dtype=int)
    ranks[np.argsort(-values.ravel(), kind="stable")] = np.arange(values.size)
    ranks = ranks.reshape(values.shape)
    pictures = zip(deletion(values, image, other, steps), insertion(values, image, other, steps))
    for step, (deleted, inserted) in enumerate(pictures, start=1):
        # The rank r is among the first ⌈i n / S⌉ exactly if r S < i n.
        first = ranks * steps < step * values.size
        check("deletion: ranks", deleted, np.where(first, other, image))
        check("insertion: ranks", inserted, np.where(first, image, other))


def check_similarity(a, b):
    from scipy import stats
    from scipy.spatial import distance

    if a.any() and b.any():
        check("cosine: SciPy", cosine(a, b), 1 - distance.cosine(a.ravel(), b.ravel()))
    if len(np.unique(a)) > 1 and len(np.unique(b)) > 1:
        check("rank correlation: SciPy's spearmanr", rank_correlation(a, b), stats.spearmanr(a.ravel(), b.ravel()).statistic)
    check("ranks: SciPy's rankdata", [float(rank) for rank in average_ranks(a)], stats.rankdata(a.ravel()))


def check_statistics(random):
    from scipy import integrate

    curve = random.normal(size=random.integers(2, 30))
    check("area: SciPy's trapezoid", area_under_curve(curve), integrate.trapezoid(curve, np.linspace(0, 1, len(curve))))
    matrix = random.normal(size=2 * [random.integers(2, 9)]) + np.eye(1)
    check("rows: NumPy's argmax", dominant_rows(matrix), ((matrix.argmax(1) == range(len(matrix))) & (np.diag(matrix) > 0)).sum())
    off = matrix[~np.eye(len(matrix), dtype=bool)]
    check("means: NumPy", diagonal_means(matrix), [np.trace(matrix) / len(matrix), off.mean()])
    values, weights = random.normal(size=9), random.integers(1, 5, 9)
    indices = random.integers(0, 9, (random.integers(1, 200), 9))
    means = resampled_means(values, indices)
    check("resamples: NumPy", means, values[indices].mean(axis=1))
    check("ratios: NumPy", resampled_ratios(values, weights, indices), values[indices].sum(1) / weights[indices].sum(1))
    check("interval: NumPy's percentile", interval(means), np.percentile(means, [2.5, 97.5]))
    names, hits = random.integers(0, 5, 30), random.integers(0, 2, 30)
    pairs = [(int(name), int(hit)) for name, hit in zip(names, hits)]
    check("classes: NumPy", class_mean(pairs), np.mean([hits[names == name].mean() for name in np.unique(names)]))


def check_all(rounds=60):
    random = np.random.default_rng(2024)
    for _ in range(rounds):
        shape = tuple(int(side) for side in random.integers(1, 20, 2))
        relevance = random.normal(size=(int(random.integers(1, 5)), *shape)).astype(np.float32)
        accumulated = np.add.accumulate(relevance, axis=0, dtype=np.float32)[-1]
        check("saliency: NumPy's running sums", saliency(relevance, "sum"), accumulated.clip(min=0))
        check("saliency: NumPy's maxima", saliency(relevance, "magnitude"), abs(relevance).max(axis=0))
        digits = random.integers(0, 10, shape) * (random.random(shape) < random.random())
        maps = [saliency(relevance, "sum"), digits.astype(np.float64), random.random(shape) ** 3]
        inside = check_region(random, shape)
        for values in maps:
            check_pointing(values, inside)
            check_pictures(random, values)
        for other in maps[1:]:
            check_similarity(maps[0], other)
        n = int(random.integers(1, 5))
        values = random.random((n * shape[0], n * shape[1]))
        shares = values.reshape(n, shape[0], n, shape[1]).sum(axis=(1, 3)) / values.sum()
        found = grid_shares(values, n)
        check("grid: NumPy's sums", [[float(share) for share in row] for row in found], shares)
        row, column = np.unravel_index(values.argmax(), values.shape)
        check("grid: NumPy's argmax", cell_of_maximum(values, n), row // shape[0] * n + column // shape[1])
        check_statistics(random)
    for name, count in sorted(COUNTS.items()):
        print(f"{count:6}  {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", required=True, help="compare with NumPy and SciPy on random cases")
    parser.parse_args()
    check_all()


if __name__ == "__main__":
    main()
