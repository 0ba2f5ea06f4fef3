"""How often human genes use each codon.

Source: Codon Usage Database of the Kazusa institute, Homo sapiens (species 9606), per thousand; the
shares within each amino acid agree with ``h_sapiens_9606.csv`` of python-codon-tables 0.1.18.
"""

from __future__ import annotations

from rehearsal.genomes.coding_sequence import CODE, CODONS

# in the order TCAG of the first, the second and the third base
_PER_THOUSAND = (
    *(17.6, 20.3, 7.7, 12.9, 15.2, 17.7, 12.2, 4.4, 12.2, 15.3, 1.0, 0.8, 10.6, 12.6, 1.6, 13.2),
    *(13.2, 19.6, 7.2, 39.6, 17.5, 19.8, 16.9, 6.9, 10.9, 15.1, 12.3, 34.2, 4.5, 10.4, 6.2, 11.4),
    *(16.0, 20.8, 7.5, 22.0, 13.1, 18.9, 15.1, 6.1, 17.0, 19.1, 24.4, 31.9, 12.1, 19.5, 12.2, 12.0),
    *(11.0, 14.5, 7.1, 28.1, 18.4, 27.7, 15.8, 7.4, 21.8, 25.1, 29.0, 39.6, 10.8, 22.2, 16.5, 16.5),
)
CODON_USAGE = dict(zip(CODONS, _PER_THOUSAND, strict=True))
SENSE = [codon for codon in CODONS if CODE[codon] != "*"]
STOP = [codon for codon in CODONS if CODE[codon] == "*"]
