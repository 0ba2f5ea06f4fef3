"""Classes of variants, and the names by which a query may ask for them.

A class is what one allele is. A type is what a query asks for, and may cover several classes: DEL
covers deletions of any size, and ``<CN0>``. The terms of EFO for copy numbers are from
github.com/hcnv/hCNV-X, docs/cnv-ontology-proposal.md. They speak of gain and loss in a genome. An
allele alone does not tell the level, so the terms for levels find every gain or loss.
"""

from __future__ import annotations

import re

from rehearsal.genomes.genomic_names import trimmed

SMALL_INSERTION, SMALL_DELETION = "small INS", "small DEL"
LOSS, GAIN = "CN loss", "CN gain"

# classes of each type
_CLASSES: dict[str, frozenset[str]] = {
    "SNP": frozenset({"SNP"}),
    "MNP": frozenset({"MNP"}),
    "DELINS": frozenset({"DELINS"}),
    "INDEL": frozenset({SMALL_INSERTION, SMALL_DELETION, "DELINS"}),
    "INS": frozenset({SMALL_INSERTION, "INS"}),
    "DEL": frozenset({SMALL_DELETION, "DEL", LOSS}),
    "DUP": frozenset({"DUP", "DUP:TANDEM", GAIN}),
    "DUP:TANDEM": frozenset({"DUP:TANDEM"}),
    "INV": frozenset({"INV"}),
    "CNV": frozenset({"DEL", "DUP", "DUP:TANDEM", LOSS, GAIN, "CNV"}),
    "copy number loss": frozenset({"DEL", LOSS}),
    "copy number gain": frozenset({"DUP", "DUP:TANDEM", GAIN}),
    "BND": frozenset(),  # no node has variants between two contigs
    "DEL:ME": frozenset(),  # deletions do not say what they delete
}
_SYNONYMS = {
    "SNP": ("SNV", "SO:0001483"),
    "MNP": ("MNV", "SO:0002007"),
    "DELINS": ("SO:1000032",),
    "INS": ("SO:0000667",),
    "DEL": ("SO:0000159",),
    "DUP": ("SO:1000035",),
    "DUP:TANDEM": ("SO:1000173",),
    "INV": ("SO:1000036",),
    "CNV": ("SO:0001019", "EFO:0030066"),
    "copy number loss": (
        *("SO:0001743", "EFO:0030067", "EFO:0030068", "EFO:0020073", "EFO:0030069"),
    ),
    "copy number gain": (
        *("SO:0001742", "EFO:0030070", "EFO:0030071", "EFO:0030072", "EFO:0030073"),
    ),
}
_WORDS = {  # names of terms of SO
    "SNP": ("SUBSTITUTION", "SINGLE_NUCLEOTIDE_VARIANT"),
    "INS": ("INSERTION",),
    "DEL": ("DELETION",),
    "DUP": ("DUPLICATION",),
    "DUP:TANDEM": ("TANDEM_DUPLICATION",),
    "INV": ("INVERSION",),
    "CNV": ("COPY_NUMBER_VARIATION",),
    "copy number loss": ("COPY_NUMBER_LOSS",),
    "copy number gain": ("COPY_NUMBER_GAIN",),
}
WORDS = {word: name for name, words in _WORDS.items() for word in words}
# from what a query may contain, in capitals, to the type
TYPES = {name.upper(): name for name in _CLASSES} | {
    synonym: name for name, synonyms in _SYNONYMS.items() for synonym in synonyms
}
_SHOWN = {  # types in records, of the classes that have another name
    **{SMALL_INSERTION: "INS", SMALL_DELETION: "DEL", "DELINS": "INDEL"},
    **{LOSS: "CNV", GAIN: "CNV", "DUP:TANDEM": "DUP"},
}
_MOBILE_ELEMENT = re.compile("INS:ME(?::[A-Z0-9]+)?")


def type_named(name: str) -> str | None:
    """Find the type that a query asks for.

    Args:
        name: A type or a term, in any case.

    Returns:
        The type, or None if there is no such type.
    """
    upper = name.upper()
    if _MOBILE_ELEMENT.fullmatch(upper):
        return upper
    return TYPES.get(upper) or WORDS.get(upper.replace(" ", "_"))


def is_word(name: str) -> bool:
    """Tell whether a name of a type is a word, which the standard does not have.

    Args:
        name: A type or a term, in any case.
    """
    upper = name.upper()
    return upper not in TYPES and upper.replace(" ", "_") in WORDS


def is_of_type(ref: str, alt: str, wanted: str) -> bool:
    """Tell whether an allele is of a type.

    Args:
        ref: REF as in VCF.
        alt: ALT as in VCF, bases or a symbolic allele.
        wanted: What :func:`type_named` returned.
    """
    if wanted not in _CLASSES:  # insertions of mobile elements
        return f"{alt[1:-1]}:".startswith(f"{wanted}:")
    return class_of(ref, alt) in _CLASSES[wanted]


def finds_nothing(wanted: str | None) -> bool:
    """Tell whether no allele can be of a type.

    Args:
        wanted: A type, or None for any.
    """
    return wanted is not None and _CLASSES.get(wanted) == frozenset()


def class_of(ref: str, alt: str) -> str:
    """Classify an allele.

    Args:
        ref: REF as in VCF.
        alt: ALT as in VCF, bases or a symbolic allele.

    Returns:
        SNP, MNP, DELINS, a small insertion or deletion, DEL, DUP, DUP:TANDEM, INS, INV, CNV, or the
        loss or gain of a copy number.
    """
    if alt.startswith("<"):
        return _structural_class(alt[1:-1])
    if len(ref) == len(alt) == 1:
        return "SNP"
    allele = trimmed("", 0, ref, alt)
    deleted, inserted = len(allele.deleted), len(allele.inserted)
    if deleted == inserted:
        return "SNP" if deleted == 1 else "MNP"
    if not deleted:
        return SMALL_INSERTION
    return "DELINS" if inserted else SMALL_DELETION


def _structural_class(name: str) -> str:
    if name[2:].isdigit():  # CN0: the copies on this haplotype, of which there usually is one
        return LOSS if name == "CN0" else GAIN
    return "DUP:TANDEM" if name == "DUP:TANDEM" else name.partition(":")[0]


def shown_type(ref: str, alt: str) -> str:
    """Return the type that a record states: SNP, MNP, INDEL, INS, DEL, DUP, INV or CNV.

    Args:
        ref: REF as in VCF.
        alt: ALT as in VCF, bases or a symbolic allele.
    """
    found = class_of(ref, alt)
    return _SHOWN.get(found, found)
