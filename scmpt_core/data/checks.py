"""Findings on matrix, genes, cells and quality of one file."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from scmpt_core.data.findings import Finding, error, info, warning
from scmpt_core.data.genes import GeneNames, guess_species
from scmpt_core.data.normalise import Values
from scmpt_core.data.quality import NMADS, Quality

MIN_RECOGNISED = 0.05  # below this share of known names, the columns are not human genes


def check_values(values: Values, matrix: str, others: dict[str, Values]) -> list[Finding]:
    """What the chosen matrix holds; an error names the matrix that could be used instead."""
    usable = [name for name, v in others.items() if v.kind not in ("invalid", "scaled")]
    way_out = (
        f"Choose --matrix {usable[0]}, which holds {others[usable[0]].kind} values."
        if usable
        else "Keep raw counts or log-normalised values in X, .raw or a layer, and give that file."
    )
    remedy = {"matrix": usable[0]} if usable else None
    if values.kind == "invalid":
        message = f"In {matrix}, {values.why}; none may be."
        return [error("not_finite", values.count, message, way_out, remedy)]
    if values.kind == "scaled":
        message = f"In {matrix}, {values.why}: these are scaled (z-scored) or corrected values, "
        message += "which hide the order of genes."
        return [error("negative_values", values.count, message, way_out, remedy)]
    out = [info("values", 0, f"{matrix} holds {values.kind} values: {values.why}.")]
    if not values.certain:
        hint = "Nothing in them shows it; if they are linear, give raw counts instead."
        out.append(
            warning(
                "values_assumed", 0, f"The values of {matrix} are taken to be logarithms.", hint
            )
        )
    return out


def check_genes(
    original: np.ndarray, genes: GeneNames, average: bool, better: str | None = None
) -> list[Finding]:
    """Recognised names, Ensembl mapping, duplicates, species.

    ``better`` names the column of ``var`` that holds more known genes, where there is one.
    """
    if not len(original):
        return [error("no_genes", 0, "There are no genes (0 columns).", "Give another matrix.")]
    n, species = len(original), guess_species(original)
    share = genes.recognised
    out = [
        info("genes", n, f"Gene names come from {genes.source}; {share:.1%} of {n:,} are known."),
        info("species", 0, f"By its gene names the species is {species[0]}."),
    ]
    if share < MIN_RECOGNISED:
        hint = "Give human gene symbols or Ensembl ids in var_names or var['gene_symbols']."
        if species[0] == "mouse":
            hint = "These are mouse genes; map them to human orthologues first."
        examples = ", ".join(map(repr, original[:3]))
        message = f"{share:.1%} of {n:,} gene names are human genes (at least 5 % must be): "
        remedy = None
        if better is not None:
            hint, remedy = f"Column {better!r} of var holds gene names.", {"symbols": better}
        return [*out, error("genes_unknown", n, message + examples + " …", hint, remedy)]
    if species[0] == "mouse":
        out.append(warning("mouse", n, "More names fit mouse than human.", "Encoders are human."))
    if genes.mapped:
        out.append(info("ensembl_mapped", genes.mapped, f"{genes.mapped:,} Ensembl ids → symbols."))
    if genes.unmapped:
        message = f"{genes.unmapped:,} Ensembl ids are not in GENCODE and stay as they are."
        out.append(warning("ensembl_unknown", genes.unmapped, message))
    duplicates = n - len(np.unique(genes.symbols))
    if duplicates:
        how = "averaged (log values)" if average else "summed"
        message = f"{duplicates:,} columns repeat a gene symbol; repeats are {how}."
        out.append(warning("duplicate_genes", duplicates, message))
    return out


def check_cells(ids: pd.Index, genes_per_cell: np.ndarray, columns: int) -> list[Finding]:
    """Whether there are any, and repeated cell names."""
    if not len(ids):
        return [error("no_cells", 0, "There are no cells (0 rows).", "Give another file.")]
    out = [info("size", len(ids), f"{len(ids):,} cells × {columns:,} columns.")]
    empty = int((genes_per_cell == 0).sum())
    if empty == len(ids):
        return [*out, error("all_empty", empty, "No cell has a value above 0.", "Choose --matrix.")]
    repeated = len(ids) - ids.nunique()
    if repeated:
        message = f"{repeated:,} cell names repeat another; they are told apart by -1, -2, …"
        out.append(warning("duplicate_cells", repeated, message, "Were samples concatenated?"))
    return out


def check_quality(quality: Quality, keep: np.ndarray) -> list[Finding]:
    """Empty cells, genes per cell, mitochondrial and ribosomal share, likely low quality.

    Only cells that stay (``keep``) are counted; what is unusual is judged on all of them, or each
    filter would find new outliers.
    """
    out = []
    empty = int((keep & (quality.genes == 0)).sum())
    if empty:
        message = f"{empty:,} cells have no expressed gene; they are not trained on or labelled."
        hint, remedy = "Drop them before the analysis.", {"drop_empty": True}
        out.append(warning("empty_cells", empty, message, hint, remedy))
    genes, mito = quality.genes[keep], quality.mitochondrial[keep]
    if not genes.any():
        return out
    out += [
        info("genes_per_cell", 0, f"Genes per cell: median {np.median(genes):,.0f}."),
        info("mitochondrial", 0, f"Mitochondrial share: median {np.median(mito):.1%}."),
        info("ribosomal", 0, f"Ribosomal share: median {np.median(quality.ribosomal[keep]):.1%}."),
    ]
    few, stressed = genes < quality.fewest_genes, mito > quality.highest_mito
    low = int((few | stressed).sum())
    if low:
        message = (
            f"{low:,} cells are likely of low quality: {int(few.sum()):,} with unusually few "
            f"genes (below {quality.fewest_genes:,}), {int(stressed.sum()):,} with an unusual "
            f"mitochondrial share (above {quality.highest_mito:.1%}; {NMADS} median absolute "
            "deviations)."
        )
        remedy = {"min_genes": quality.fewest_genes, "max_mito": quality.highest_mito}
        out.append(
            warning("low_quality", low, message, "Look at them before trusting labels.", remedy)
        )
    return out


def worst(findings: Iterable[Finding]) -> Finding | None:
    """The first error, if any."""
    return next((f for f in findings if f.severity == "error"), None)
