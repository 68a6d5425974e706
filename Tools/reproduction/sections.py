"""The sections of reproduction.md for a network. Each section runs an experiment and shows its report."""
import subprocess
from pathlib import Path

RULES_AT_THE_BORDER = ["default", "paper", "EpsilonPlus", "EpsilonPlusFlat", "EpsilonAlpha2Beta1", "EpsilonGammaBox"]


def short(cell):
    if cell is None:
        return "–"
    if isinstance(cell, dict):
        return f"{cell['value']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def markdown(columns, rows):
    return ["| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *rows]] + [""]


def chosen(report, title, columns):
    """Some columns of a table, as Markdown."""
    rows = report.rows(title)
    return markdown(["method", *columns], [[name, *(short(row[column]) for column in columns)] for name, row in rows.items()])


def verdict(report, title, column, better, what):
    """A line that states whether a method is above LRP, by the confidence interval of their difference."""
    cell = report.rows(title).get(better, {}).get(column)
    if cell is None:
        return []
    if cell["low"] > 0:
        result = f"{better} is above lrp"
    elif cell["high"] < 0:
        result = f"{better} is **below** lrp"
    else:
        result = f"{better} is **not** significantly above lrp"
    return [f"- {what}: {result}, difference {short(cell)}."]


def pointing(experiments, network):
    report = experiments.run(network, "pointing")
    if report:
        difference = "energy share, less lrp", "maximum hits, less lrp"
        experiments.add(
            "#### Pointing (§5.2, Fig. 4)", "", *chosen(report, "Pointing", ["maximum hits", "mean of classes", "difficult", "energy share"]),
            report.figure("hits-by-threshold.png", experiments.output), "", *report.notes,
            *verdict(report, "Pointing", difference[0], "clrp1", "Energy share"),
            *verdict(report, "Pointing", difference[1], "clrp1", "Maximum"),
            *verdict(report, "Pointing", difference[0], "clrp2", "Energy share"),
            *verdict(report, "Pointing", difference[1], "clrp2", "Maximum"), "")


def ablation(experiments, network):
    report = experiments.run(network, "ablation")
    if not report:
        return
    rows = report.rows("Drops")
    printed = network.printed
    table = [[name, short(row["logit"]), short(row["probability"])] + ([f"{printed[name]:.4f}" if name in printed else "–"] if printed else [])
             for name, row in rows.items()]
    experiments.add(
        "#### Ablation (§5.2, Table 1)", "", *markdown(["method", "logit", "probability"] + (["printed in the paper"] if printed else []), table),
        *report.notes, *verdict(report, "Drops", "logit, less lrp", "clrp1", "Logit"),
        *verdict(report, "Drops", "probability, less lrp", "clrp1", "Probability"),
        *verdict(report, "Drops", "logit, less lrp", "clrp2", "Logit"),
        *verdict(report, "Drops", "probability, less lrp", "clrp2", "Probability"), "")


def grid(experiments, network):
    report = experiments.run(network, "grid")
    if report:
        experiments.add("#### Grid pointing (no boxes needed)", "", *chosen(report, "Grid pointing", ["energy", "pointing"]), *report.notes,
                        *verdict(report, "Grid pointing", "energy, less lrp", "clrp1", "Energy"),
                        *verdict(report, "Grid pointing", "energy, less lrp", "clrp2", "Energy"), "")


def similarity(experiments, network):
    report = experiments.run(network, "similarity", "--figures", "4", methods=["lrp", "clrp1", "clrp2"])
    if report:
        title = "Similarity of the maps of one image's classes"
        columns = [column for column in report.table(title)["columns"][1:] if "cosine" in column or "rank" in column]
        experiments.add("#### Maps of several classes (§3, Fig. 1 and 3)", "", *chosen(report, title, columns), *report.notes, "")
        figures = sorted((report.folder / "figures").glob("*.png"))
        experiments.add(*[line for figure in figures for line in (f"![{figure.stem}]({figure.relative_to(experiments.output)})", "")])


def units(experiments, network):
    report = experiments.run(network, "units", "--layer", network.units, methods=[])
    if report:
        title = "Units"
        experiments.add(f"#### Units of `{network.units}` (§5.3, Fig. 5)", "", *chosen_units(report, title), *report.notes, "")
    for image in network.figures[:1]:
        folder = experiments.output / network.name / "fig5"
        done = subprocess.run([experiments.relevance, "units", network.model, image, "--layer", network.units, "--output", str(folder)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        figure = folder / Path(image).stem / "units.png"
        if done.returncode == 0 and figure.exists():
            experiments.add(f"![units]({figure.relative_to(experiments.output)})", "")
        else:
            experiments.failures.append(f"{network.name}, Fig. 5: {(done.stderr.strip().splitlines() or ['no figure'])[-1]}")


def chosen_units(report, title):
    table = report.table(title)
    return markdown(table["columns"], [[short(cell) for cell in row] for row in table["rows"]])


def border(experiments, network):
    rows = []
    for rules in RULES_AT_THE_BORDER:
        report = experiments.run(network, "border", "--rules", rules, name=f"border-{rules}", methods=["lrp", "clrp1"])
        if report:
            for method, row in report.rows("Energy along the border").items():
                values = [short(cell) for column, cell in row.items() if column != "method"]
                columns = [column for column in row if column != "method"]
                rows.append([rules, method, *values])
    if rows:
        experiments.add("#### Energy along the border, by rule table", "", *markdown(["rules", "method", *columns], rows))


def reproduce(experiments, networks):
    experiments.add(
        "# The paper's experiments", "",
        "J. Gu, Y. Yang, V. Tresp: *Understanding Individual Decisions of CNNs via Contrastive Backpropagation*, ACCV 2018.",
        "Brackets contain 95 % confidence intervals from resampled images. Written by `Tools/reproduce`. The `report.json` files contain all numbers.", "")
    for network in networks:
        experiments.add(f"## {network.name}", "")
        similarity(experiments, network)
        if network.has_boxes:
            pointing(experiments, network)
        ablation(experiments, network)
        if network.grids:
            grid(experiments, network)
        if network.units:
            units(experiments, network)
        border(experiments, network)
        experiments.write()
