"""An attribution in lines, for a terminal."""

from __future__ import annotations

from scmpt_core.wording import amount

SHOWN = 10  # genes of a type


def attribution_lines(result: dict) -> list[str]:
    """What was explained, what labels were taken for, the tests on all cells, the top genes.

    Parameters
    ----------
    result
        As of :func:`~scmpt_core.verbs.explain.attribute_file`.
    """
    return [
        *_cells(result), "", *_matches(result), "", *_tests(result), "", *_genes(result),
        *(f"warning: {doubt['type']}, {doubt['method']}, {doubt['way']}: {doubt['text']}"
          for doubt in result["doubts"]),
    ]  # fmt: skip


def _cells(result: dict) -> list[str]:
    settings, n = result["settings"], sum(result["cells"].values())
    kind = f"known types (column {result['label']})" if result["known_types"] else "predicted types"
    target = f"; of every cell, the logit of {settings['target']}" if settings["target"] else ""
    types = amount(len(result["cells"]), "type")
    lines = [f"{amount(n, 'cell')} of {types}, by their {kind}{target}"]
    if settings["test_cells"]:
        lines.append(f"{settings['test_cells']:,} of them are the model's own test cells")
    if settings["training_cells"]:
        lines.append(
            f"warning: {settings['training_cells']:,} of them were used to make the model; scores "
            "of such cells say less about new ones"
        )
    if result["unknown"]:
        lines.append(f"warning: the model would call {result['unknown']:,} of them Unknown")
    if lacking := settings["types_without_cells"]:
        lines.append(f"no cell of: {', '.join(lacking)}")
    if strange := settings["labels_not_known"]:
        lines.append(
            "labels that the model does not know: "
            + ", ".join(f"{name or 'none'} ({count:,} cells)" for name, count in strange.items())
        )
    if idle := settings["without_weight"]:
        lines.append(f"the fusion gives no weight to {', '.join(idle)}")
    return lines


def _matches(result: dict) -> list[str]:
    markers = result["markers"]
    return [
        f"markers: {markers['database']}",
        *(f"  {note}" for note in markers["notes"]),
        *(f"  {match['said']}" for match in result["matches"]),
    ]


def _tests(result: dict) -> list[str]:
    lines = [f"{'type':24} {'method':24} {'model':12} n  in top k       p       q       markers"]
    for row in result["tests"]:
        if row["correct_only"]:
            continue
        front = f"{row['type'][:24]:24} {row['method']:24} {row['way'][:12]:12} {row['n']}"
        if row["test"] is None or row["test"]["p"] is None:
            lines.append(f"{front}  {row['note']}")
            continue
        test = row["test"]
        figures = f"{test['overlap']} of {test['used']:<9} {test['p']:.4f}  {row['q']:.4f}"
        lines.append(f"{front}  {figures}  {', '.join(test['found'])}")
    if result["yardsticks"]:
        lines.append(f"the yardsticks are made from {result['yardsticks']}")
    return lines


def _genes(result: dict) -> list[str]:
    """Of the whole model."""
    whole = result["settings"]["parts"][0]
    return [
        f"{row['type']}, {row['method']}: "
        + (", ".join(gene["gene"] for gene in row["genes"][:SHOWN]) or "no gene speaks for it")
        for row in result["genes"]
        if row["way"] == whole and not row["correct_only"]
    ]
