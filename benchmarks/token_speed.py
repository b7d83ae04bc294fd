"""Token ids out of a CSR matrix: our kernels against what people use.

    PYTHONPATH=. python benchmarks/token_speed.py

Text: the model's fast tokenizer on joined sentences of 150 genes. scGPT: upstream's collator with
its per-cell binning, at 1,000 genes. One core each but for the tokenizer, which takes all.
"""

from __future__ import annotations

import scmpt_core  # noqa: F401 (settings of threads, before torch starts any)

# isort: split
import numpy as np
import scipy.sparse as sp
import torch

from benchmarks.race import race
from scmpt_core.cells import Cells
from scmpt_core.device import choose_device
from scmpt_core.encoders import load_encoder
from scmpt_core.encoders.scgpt.tokens import GeneTokens
from scmpt_core.sentences import cell_sentences
from tests import upstream


def made_cells(symbols: np.ndarray, cells: int, genes: int) -> Cells:
    """Cells of ``genes`` genes with geometric counts, log-normalised: many ties, as in counts."""
    rng = np.random.default_rng(0)
    picks = [np.sort(rng.choice(len(symbols), genes, replace=False)) for _ in range(cells)]
    counts = rng.geometric(0.5, size=(cells, genes))
    values = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4).astype(np.float32)
    indptr = np.arange(0, cells * genes + 1, genes)
    matrix = sp.csr_matrix((values.ravel(), np.concatenate(picks), indptr), (cells, len(symbols)))
    return Cells(matrix, symbols, np.arange(cells).astype(str))


def main() -> None:
    """Print both ratios."""
    vocabulary = upstream.census_vocabulary()
    symbols = np.array([g for g in vocabulary if not g.startswith("<")][:20_000])

    cells, encoder = made_cells(symbols, 20_000, 150), load_encoder("minilm", choose_device())
    sentences = cell_sentences(cells)
    tokenizer = encoder.tokenizer
    race(
        {"text, ours": lambda: encoder.token_ids(cells),
         "tokenizer on joined sentences": lambda: tokenizer(
             sentences, truncation=True, max_length=encoder.max_tokens)},
        len(cells), "cells", 3,
    )  # fmt: skip

    cells = made_cells(symbols, 2_000, 1_000)
    collate = upstream.upstream().DataCollator(
        pad_token_id=vocabulary["<pad>"], pad_value=-2, do_mlm=False, max_length=1_200
    )
    ids = torch.tensor([vocabulary[g] for g in symbols])
    indptr = cells.expression.indptr

    def theirs() -> None:
        for start in range(0, len(cells), 64):
            examples = []
            for cell in range(start, min(start + 64, len(cells))):
                row = slice(indptr[cell], indptr[cell + 1])
                genes = ids[cells.expression.indices[row]]
                examples.append(
                    {"genes": torch.cat([torch.tensor([vocabulary["<cls>"]]), genes]),
                     "expressions": torch.from_numpy(
                         np.insert(cells.expression.data[row], 0, -2))}
                )  # fmt: skip
            collate(examples)

    def ours() -> None:
        tokens = GeneTokens(cells, vocabulary, 51, 1_199)
        tokens.rows(np.arange(len(cells)), (vocabulary["<cls>"], -2))

    race({"scGPT, ours": ours, "upstream's collator": theirs}, len(cells), "cells", 3)


if __name__ == "__main__":
    main()
