"""The names by which a request may mean a gene of the node's table."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.model import Gene


class GeneNames:
    """Genes by symbol or identifier, in upper or lower case.

    Args:
        genes: The genes of the node's table.
    """

    def __init__(self, genes: Iterable[Gene]) -> None:
        genes = tuple(genes)
        # a symbol of the table goes before an identifier of another gene
        self._genes = {name: gene for gene in genes for name in map(_key, gene.identifiers)}
        self._genes |= {_key(gene.name): gene for gene in genes}
        self._places = genes
        self.symbols = tuple(sorted(gene.name for gene in genes))

    def find(self, name: str) -> Gene | None:
        """Find a gene.

        Args:
            name: Its symbol, or an identifier of HGNC (``HGNC:1100``), Ensembl
                (``ENSG00000012048``, with or without a version) or NCBI Gene (``672``).

        Returns:
            The gene, or None if the table has none of this name.
        """
        return self._genes.get(_key(name))

    def at(self, contig: str, position: int) -> Gene | None:
        """Find the gene at a place.

        Args:
            contig: Name of the contig, like ``chr17``.
            position: Position, 0-based.

        Returns:
            The first gene of the table that covers it, or None.
        """
        over = (
            one for one in self._places if one.contig == contig and one.start <= position < one.end
        )
        return next(over, None)


def _key(name: str) -> str:
    """Write a name as it is compared: in lower case, an Ensembl identifier without its version."""
    key = name.strip().lower()
    return key.partition(".")[0] if key.startswith("ensg") else key.removeprefix("ncbigene:")
