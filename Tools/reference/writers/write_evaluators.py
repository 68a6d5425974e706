"""Writes seeded maps, boxes, matrices and resamples (`evaluator_inputs.py`) with the results of the evaluation's definitions.

    python -m writers.write_evaluators
"""

import itertools
import json
from fractions import Fraction

import numpy as np

import storage
from onnx_files import FIXTURES
from oracles import evaluator_statistics as statistics
from oracles import evaluators as e
from writers import evaluator_inputs as inputs
from writers.evaluator_inputs import LARGEST_ORDER

FOLDER = FIXTURES / "evaluators"
# Thresholds are decimals: 0.07 × 100 is 7, but more in double precision.
THRESHOLDS = ("0.01", "0.05", "0.07", "0.1", "0.2", "0.25", "0.29", "0.4", "0.5", "0.57", "0.75", "0.9", "0.95", "1")
# Images of at most this size are stored as values.
LARGEST_IMAGE = 12


def plain(values):
    """Numbers for JSON: integers without a fraction, others with all digits."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if isinstance(values, (list, tuple)):
        return [plain(value) for value in values]
    values = float(values)
    return int(values) if values.is_integer() else values


def write(name, cases, **facts):
    """Writes a file of cases, one per line."""
    facts = {"tolerance": {"relative": e.TOLERANCE}} | facts
    head = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in facts.items())
    rows = ",\n".join("    " + json.dumps(case) for case in cases)
    storage.pack(FOLDER, {f"{name}.json": f'{{\n{head}  "cases": [\n{rows}\n  ]\n}}\n'})
    print(f"{name}: {len(cases)} cases")


# Saliency


def write_saliency():
    cases = []
    for kind, relevance in inputs.relevances():
        expected = {key: plain(e.saliency(relevance, key).ravel()) for key in ("sum", "magnitude")}
        name = f"{kind} {'x'.join(map(str, relevance.shape))}"
        cases.append({"name": name, "shape": list(relevance.shape), "relevance": plain(relevance.ravel())} | expected)
    write("saliency", cases)


# Maps and regions, to which other files refer by name


def write_maps():
    cases = [{"name": name, "height": v.shape[0], "width": v.shape[1], "values": plain(v.ravel())} for name, v in inputs.maps()]
    write("maps", cases)
    return dict(inputs.maps())


def write_regions(every_map):
    cases, masks = [], {}
    for name, shape, boxes, tolerance in inputs.regions(every_map):
        masks[name] = inside = e.region(*shape, boxes, tolerance)
        rows = ["".join("#" if pixel else "." for pixel in row) for row in inside]
        case = {"name": name, "height": shape[0], "width": shape[1], "boxes": plain(boxes), "tolerance": tolerance}
        cases.append(case | {"count": int(inside.sum()), "inside": rows})
    write("regions", cases)
    return masks


# The pointing game


def rounding_decides(values, share, threshold):
    """Whether a share of the energy in double precision can be on the other side of a threshold.

    The whole energy is exact, and multiples of a threshold such as 0.25 are exact if the map contains integers.
    """
    is_exact = Fraction(threshold) == Fraction(float(threshold)) and np.all(values == np.round(values))
    return 0 < share < 1 and abs(share - Fraction(threshold)) <= e.TOLERANCE and not is_exact


def ranking_facts(name, values):
    """The values of a map that do not depend on the region."""
    energies = e.exact(values)
    order, total = e.ranking(values), sum(energies)
    case = {"map": name, "total": plain(total)} | ({"order": order} if values.size <= LARGEST_ORDER else {})
    if not total:
        return case | {"kept": [0] * len(THRESHOLDS), "boundary": []}
    shares = [held / total for held in itertools.accumulate(energies[pixel] for pixel in order)]
    close = [float(t) for t in THRESHOLDS if any(rounding_decides(values, share, t) for share in shares)]
    return case | {"kept": [e.kept_count(values, Fraction(t)) for t in THRESHOLDS], "boundary": close}


def pointing(name, values, region, inside):
    purity = e.purity(values, inside)
    hits = [e.hit(values, inside, Fraction(threshold)) for threshold in THRESHOLDS]
    assert not values.any() or hits == [purity >= Fraction(threshold) for threshold in THRESHOLDS]
    case = {"map": name, "region": region, "maximum": e.points_inside(values, inside), "purity": plain(purity)}
    case |= {"energy_share": plain(e.energy_share(values, inside)), "hits": hits}
    return case | {"boundary": [float(t) for t in THRESHOLDS if rounding_decides(values, purity, t)]}


def write_pointing(every_map, masks):
    cases = []
    for index, (name, values) in enumerate(every_map.items()):
        same = [region for region, inside in masks.items() if inside.shape == values.shape]
        own = [region for region in same if region.endswith(f" of {name}")]
        bumps = [region for region in same if "around the bump" in region]
        # Every map is combined with two of the other regions, consecutive maps with different ones.
        others = [region for region in same if region not in bumps and " of " not in region]
        chosen = {others[2 * index % len(others)]: None, others[(2 * index + 1) % len(others)]: None}
        if name.split()[0] in ("bump", "real", "few", "digits"):
            chosen |= dict.fromkeys(bumps)
        if name.startswith("hundred"):
            chosen = dict.fromkeys(same)
        cases += [pointing(name, values, region, masks[region]) for region in [*chosen, *own]]
    thresholds = [float(threshold) for threshold in THRESHOLDS]
    write("rankings", [ranking_facts(name, values) for name, values in every_map.items()], thresholds=thresholds)
    write("pointing", cases, thresholds=thresholds)


# Difficult pairs


def write_pairs():
    cases = []
    for name, width, height, objects in inputs.labeled_images():
        found = {}
        for label in sorted({label for label, _ in objects}):
            area = e.box_area([box for other, box in objects if other == label])
            found[label] = {"area": plain(area), "difficult": e.is_difficult(width, height, objects, label)}
        listed = [{"class": label, "box": plain(box)} for label, box in objects]
        cases.append({"name": name, "width": width, "height": height, "objects": listed, "classes": found})
    write("pairs", cases)


# Ablation, deletion and insertion


def seen(states):
    """The checksums Σ (i + 1) x_i of images, which are whole numbers, and the values of small images."""
    sums = [int(sum((i + 1) * int(x) for i, x in enumerate(state.ravel()))) for state in states]
    small = bool(states) and states[0][0].size <= LARGEST_IMAGE
    return {"checksums": sums} | ({"images": [plain(state.ravel()) for state in states]} if small else {})


def write_ablations(every_map):
    cases = []
    for index, (name, values) in enumerate(every_map.items()):
        image, other = inputs.image_pair(values.shape)
        for count, side in ((1, 9), ((2, 3), (5, 5), (3, 1), (12, 3))[index % 4]):
            centers = e.patch_centers(values, count, side)
            case = {"map": name, "patches": count, "side": side, "centers": [list(at) for at in centers]}
            cases.append(case | seen(e.ablated(image, other, centers, side)))
    write("ablation", cases)


def write_curves(every_map):
    cases = []
    for index, (name, values) in enumerate(every_map.items()):
        image, other = inputs.image_pair(values.shape)
        order = e.ranking(values)
        for steps in ((1, 2, 3, 7)[index % 4], (values.size, values.size + 3, 5, 10)[index % 4]):
            if steps > LARGEST_ORDER:
                continue
            case = {"map": name, "steps": steps, "counts": e.replaced_counts(values.size, steps)}
            case["last"] = [order[count - 1] for count in case["counts"]]
            if steps <= 10:
                case["deletion"] = seen(e.deletion(values, image, other, steps))
                case["insertion"] = seen(e.insertion(values, image, other, steps))
            cases.append(case)
    write("curves", cases)


def write_areas():
    write("areas", [{"values": plain(curve), "area": e.area_under_curve(curve)} for curve in inputs.curves()])


# Grids and similarity


def write_grids(every_map):
    cases = []
    for name, values in every_map.items():
        for n in (1, 2, 3, 4, 5, 8, 10):
            if all(side % n == 0 for side in values.shape) and (n > 1 or values.size < 100):
                shares = e.grid_shares(values, n)
                flat = [plain(share) for row in shares for share in row]
                cases.append({"map": name, "n": n, "shares": flat, "largest": e.cell_of_maximum(values, n)})
    write("grids", cases)


def write_similarities(every_map):
    cases = []
    for shape in inputs.SHAPES:
        ending = f" {inputs.shape_name(shape)}"
        names = [name for name, values in every_map.items() if name.endswith(ending) and values.shape == shape]
        pairs = [(name, names[(i + step) % len(names)]) for i, name in enumerate(names) for step in (1, 2)]
        for a, b in [*pairs, (names[0], names[0]), (names[2], names[2])]:
            values = every_map[a], every_map[b]
            cases.append({"maps": [a, b], "cosine": e.cosine(*values), "rank_correlation": e.rank_correlation(*values)})
    write("similarities", cases)


# Units and uncertainty


def has_ties(matrix):
    """Whether another entry equals the diagonal entry as the largest of its row or column."""
    return any(sum(line == matrix[i, i]) > 1 and matrix[i, i] == max(line) for m in (matrix, matrix.T) for i, line in enumerate(m))


def write_matrices():
    cases = []
    for name, matrix in inputs.matrices():
        on, off = statistics.diagonal_means(matrix)
        case = {"name": name, "n": len(matrix), "values": plain(matrix.ravel()), "ties": has_ties(matrix)}
        case |= {"dominant_rows": statistics.dominant_rows(matrix), "dominant_columns": statistics.dominant_rows(matrix.T)}
        cases.append(case | {"diagonal_mean": on, "off_diagonal_mean": off})
    write("matrices", cases)


def write_resamples():
    cases = []
    for indices, values, hits, pairs in inputs.resamples():
        resamples, images = indices.shape
        means, ratios = statistics.resampled_means(values, indices), statistics.resampled_ratios(hits, pairs, indices)
        case = {"images": images, "resamples": resamples, "indices": plain(indices)}
        case |= {"values": plain(values), "hits": plain(hits), "pairs": plain(pairs)}
        case |= {"mean": statistics.resampled_means(values, [range(images)])[0], "interval": statistics.interval(means)}
        case |= {"ratio": statistics.resampled_ratios(hits, pairs, [range(images)])[0], "ratio_interval": statistics.interval(ratios)}
        # For the largest case, the interval is sufficient.
        cases.append(case | ({"means": means, "ratios": ratios} if resamples < 1000 else {}))
    write("resamples", cases)


def write_classes():
    cases = []
    for pairs in inputs.class_hits():
        cases.append({"pairs": [{"class": name, "hit": hit} for name, hit in pairs], "class_mean": statistics.class_mean(pairs)})
    write("classes", cases)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_saliency()
    every_map = write_maps()
    masks = write_regions(every_map)
    write_pointing(every_map, masks)
    write_pairs()
    write_ablations(every_map)
    write_curves(every_map)
    write_areas()
    write_grids(every_map)
    write_similarities(every_map)
    write_matrices()
    write_resamples()
    write_classes()
    print(f"{sum(path.stat().st_size for path in FOLDER.iterdir())} bytes")


if __name__ == "__main__":
    main()
