"""What a database says of each marker, a row a gene, with links to read on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from urllib.parse import quote

from scmpt_core.markers.base import MarkerSet
from scmpt_core.markers.symbols import MarkerGenes

LINKS = {
    "PanglaoDB": "https://panglaodb.se/search.html?query=%22{symbol}%22&species=3",  # 3: human
    "NCBI Gene": "https://www.ncbi.nlm.nih.gov/gene/?term={symbol}%5Bsym%5D+AND+human%5Borgn%5D",
    "GeneCards": "https://www.genecards.org/Search/Keyword?queryString={symbol}",
}


@dataclass(frozen=True)
class EvidenceRow:
    """One gene of the data beside what the database has on it; None where it says nothing."""

    gene: str
    listed_as: str | None  # symbol in the database; None: not one of its markers
    canonical: bool | None
    sensitivity: float | None
    specificity: float | None
    records: int | None
    organs: tuple[str, ...]
    links: dict[str, str]  # site → address

    def to_json(self) -> dict:
        """As a JSON object."""
        return {**asdict(self), "organs": list(self.organs)}


def evidence_rows(entry: MarkerSet, found: MarkerGenes, genes: Iterable[str]) -> list[EvidenceRow]:
    """A row for each of ``genes``, in their order, whether it is a marker or not."""
    rows = []
    for gene in map(str, genes):
        symbol = found.listed_as.get(gene)
        said = entry.genes[symbol] if symbol else None
        rows.append(
            EvidenceRow(
                gene,
                symbol,
                said.canonical if said else None,
                said.sensitivity if said else None,
                said.specificity if said else None,
                said.records if said else None,
                said.organs if said else (),
                gene_links(symbol or gene),
            )
        )
    return rows


def gene_links(symbol: str) -> dict[str, str]:
    """Site → address of its page on the gene; a symbol is quoted, whatever it holds."""
    quoted = quote(symbol, safe="")
    return {site: address.format(symbol=quoted) for site, address in LINKS.items()}
