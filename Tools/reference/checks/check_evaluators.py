"""Compares the definitions of the evaluation with functions of NumPy and SciPy on random cases.

    python -m checks.check_evaluators
"""

from fractions import Fraction

import numpy as np
from scipy import integrate, ndimage, stats
from scipy.spatial import distance

from oracles import evaluator_statistics as statistics
from oracles import evaluators as e

COUNTS = {}


def check(name, found, expected):
    """Compares two values, and counts the comparison."""
    found, expected = (np.asarray(values, dtype=np.float64) for values in (found, expected))
    if found.shape != expected.shape or np.any(abs(found - expected) > e.TOLERANCE * np.maximum(1, abs(expected))):
        raise SystemExit(f"{name}: expected {expected}, found {found}")
    COUNTS[name] = COUNTS.get(name, 0) + 1


def check_region(random, shape):
    boxes = [[*corner, *(corner + random.uniform(0, 8, 2))] for corner in random.uniform(-3, max(shape), (3, 2))]
    boxes[0] = np.round(np.multiply(boxes[0], 2)) / 2
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, dtype=bool)
    for left, top, right, bottom in boxes:
        inside |= (x >= left) & (x < right) & (y >= top) & (y < bottom)
    tolerance = random.choice([0, 1, 2.5, 15])
    near = ndimage.distance_transform_edt(~inside) <= tolerance if inside.any() else inside
    check("region: SciPy's distance transform", e.region(*shape, boxes, tolerance), near)
    return near


def check_pointing(values, inside):
    order = np.argsort(-values.ravel(), kind="stable")
    check("ranking: NumPy's stable sort", e.ranking(values), order)
    if not values.any():
        return
    shares = np.cumsum(values.ravel()[order]) / values.sum()
    outside = ~inside.ravel()[order] & (values.ravel()[order] > 0)
    first = np.argmax(outside) if outside.any() else None
    held = 1 if first is None else shares[first - 1] if first else 0
    check("purity: NumPy's cumulative sums", float(e.purity(values, inside)), held)
    check("energy share: NumPy's sums", float(e.energy_share(values, inside)), values[inside].sum() / values.sum())
    check("maximum: NumPy's argmax", e.points_inside(values, inside), inside.ravel()[values.argmax()])
    for threshold in ("0.05", "0.25", "0.5", "0.9", "1"):
        # Sums of integers are exact; for other sums, rounding must not decide.
        if float(threshold) in shares or abs(shares - float(threshold)).min() > e.TOLERANCE:
            count = np.searchsorted(shares, float(threshold)) + 1
            check("prefix: NumPy's search in cumulative sums", e.kept_count(values, Fraction(threshold)), count)
        verdict = e.purity(values, inside) >= Fraction(threshold)
        check("hit: purity reaches the threshold", e.hit(values, inside, Fraction(threshold)), verdict)


def check_images(random, values):
    image = np.arange(3 * values.size, dtype=np.float32).reshape(3, *values.shape)
    other = -1 - image
    rest, mask = values.copy(), np.zeros(values.shape, dtype=bool)
    centers = e.patch_centers(values, 4, 5)
    for center, found in zip(centers, e.ablated(image, other, centers, 5)):
        check("patches: NumPy's argmax", center, np.unravel_index(rest.argmax(), rest.shape))
        part = tuple(slice(max(0, at - 2), at + 3) for at in center)
        rest[part], mask[part] = -1, True
        check("patches: NumPy's slices", found, np.where(mask, other, image))
    if len(centers) < 4:
        check("patches: fewer if no saliency is left", rest.max() <= 0, True)
    steps = int(random.integers(1, 12))
    ranks = np.empty(values.size, dtype=int)
    ranks[np.argsort(-values.ravel(), kind="stable")] = np.arange(values.size)
    ranks = ranks.reshape(values.shape)
    states = zip(e.deletion(values, image, other, steps), e.insertion(values, image, other, steps))
    for step, (deleted, inserted) in enumerate(states, start=1):
        # The rank r is among the first ⌈i n / S⌉ if and only if r S < i n.
        first = ranks * steps < step * values.size
        check("deletion: ranks", deleted, np.where(first, other, image))
        check("insertion: ranks", inserted, np.where(first, image, other))


def check_similarity(a, b):
    if a.any() and b.any():
        check("cosine: SciPy", e.cosine(a, b), 1 - distance.cosine(a.ravel(), b.ravel()))
    if len(np.unique(a)) > 1 and len(np.unique(b)) > 1:
        check("rank correlation: SciPy's spearmanr", e.rank_correlation(a, b), stats.spearmanr(a.ravel(), b.ravel()).statistic)
    check("ranks: SciPy's rankdata", [float(rank) for rank in e.average_ranks(a)], stats.rankdata(a.ravel()))


def check_statistics(random):
    curve = random.normal(size=random.integers(2, 30))
    check("area: SciPy's trapezoid", e.area_under_curve(curve), integrate.trapezoid(curve, np.linspace(0, 1, len(curve))))
    matrix = random.normal(size=2 * [random.integers(2, 9)]) + np.eye(1)
    dominant = (matrix.argmax(1) == range(len(matrix))) & (np.diag(matrix) > 0)
    check("rows: NumPy's argmax", statistics.dominant_rows(matrix), dominant.sum())
    off = matrix[~np.eye(len(matrix), dtype=bool)]
    check("means: NumPy", statistics.diagonal_means(matrix), [np.trace(matrix) / len(matrix), off.mean()])
    values, weights = random.normal(size=9), random.integers(1, 5, 9)
    indices = random.integers(0, 9, (random.integers(1, 200), 9))
    means = statistics.resampled_means(values, indices)
    check("resamples: NumPy", means, values[indices].mean(axis=1))
    check("ratios: NumPy", statistics.resampled_ratios(values, weights, indices), values[indices].sum(1) / weights[indices].sum(1))
    check("interval: NumPy's percentile", statistics.interval(means), np.percentile(means, [2.5, 97.5]))
    names, hits = random.integers(0, 5, 30), random.integers(0, 2, 30)
    pairs = [(int(name), int(hit)) for name, hit in zip(names, hits)]
    check("classes: NumPy", statistics.class_mean(pairs), np.mean([hits[names == name].mean() for name in np.unique(names)]))


def main():
    random = np.random.default_rng(2024)
    for _ in range(60):
        shape = tuple(int(side) for side in random.integers(1, 20, 2))
        relevance = random.normal(size=(int(random.integers(1, 5)), *shape)).astype(np.float32)
        accumulated = np.add.accumulate(relevance, axis=0, dtype=np.float32)[-1]
        check("saliency: NumPy's running sums", e.saliency(relevance, "sum"), accumulated.clip(min=0))
        check("saliency: NumPy's maxima", e.saliency(relevance, "magnitude"), abs(relevance).max(axis=0))
        digits = random.integers(0, 10, shape) * (random.random(shape) < random.random())
        maps = [e.saliency(relevance, "sum"), digits.astype(np.float64), random.random(shape) ** 3]
        inside = check_region(random, shape)
        for values in maps:
            check_pointing(values, inside)
            check_images(random, values)
        for other in maps[1:]:
            check_similarity(maps[0], other)
        n = int(random.integers(1, 5))
        values = random.random((n * shape[0], n * shape[1]))
        shares = values.reshape(n, shape[0], n, shape[1]).sum(axis=(1, 3)) / values.sum()
        found = e.grid_shares(values, n)
        check("grid: NumPy's sums", [[float(share) for share in row] for row in found], shares)
        row, column = np.unravel_index(values.argmax(), values.shape)
        check("grid: NumPy's argmax", e.cell_of_maximum(values, n), row // shape[0] * n + column // shape[1])
        check_statistics(random)
    for name, count in sorted(COUNTS.items()):
        print(f"{count:6}  {name}")


if __name__ == "__main__":
    main()
