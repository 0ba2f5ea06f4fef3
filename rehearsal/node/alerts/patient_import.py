"""Adds a patient to a running node: a phenopacket, genotypes and consent.

The file in ``arrivals/`` is JSON with ``phenopacket`` (GA4GH Phenopackets v2, protobuf JSON form),
``variants`` (lists of contig, 0-based start, ref, alt) and ``consent`` (``uses`` and ``withdrawn``,
or null without a consent record).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from rehearsal.errors import InputError, cause, shown
from rehearsal.files import make_private_folder, read_json, write_durably
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.contig_names import find_contig
from rehearsal.model import Sex, Variant
from rehearsal.node.access.consent import TERM

FOLDER = "arrivals"
TAKEN, REFUSED = "taken", "refused"  # its subfolders for processed files
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SEXES: Mapping[str, Sex] = {"FEMALE": "female", "MALE": "male"}
YEARS = re.compile(r"P(\d{1,3})Y.*|P(?:\d+[MWD])+")


@dataclass(frozen=True, slots=True)
class NewPatient:
    """The properties of a new patient that subscriptions look at."""

    person: str  # identifier
    sex: Sex | None
    age: int | None  # completed years
    terms: frozenset[str]  # CURIEs of observed features and of diseases
    variants: frozenset[Variant]  # carried variants
    uses: tuple[str, ...] | None  # DUO terms; None without a consent record
    withdrawn: bool = False  # whether the consent was withdrawn


def import_patient(
    folder: Path,
    phenopacket: Path,
    genotypes: Path | None = None,
    consent: str | None = None,
) -> Path:
    """Put a patient's file into a node's ``arrivals/``, atomically.

    Args:
        folder: The node's folder.
        phenopacket: JSON file of a phenopacket.
        genotypes: VCF or BCF. The patient is its only sample, or the one named as the phenopacket's
            subject. Without it, the variants are those of the phenopacket's interpretations.
        consent: DUO terms that the patient permits, separated by commas. None leaves no record.

    Returns:
        The file.

    Raises:
        InputError: A file cannot be used, or the consent is not a list of DUO terms.
    """
    if not (folder / "node.yaml").is_file():
        raise InputError(folder, "folder", "a node's folder with node.yaml", "no node.yaml")
    message = _read_object(phenopacket)
    patient = _parse_patient(phenopacket, {"phenopacket": message, "variants": [], "consent": None})
    variants = patient.variants
    if genotypes is not None:
        variants |= frozenset(_carried_variants(genotypes, patient.person))
    content = {
        "phenopacket": message,
        "variants": [[v.contig, v.start, v.ref, v.alt] for v in sorted(variants)],
        "consent": None if consent is None else {"uses": _read_uses(consent), "withdrawn": False},
    }
    path = folder / FOLDER / f"{patient.person}.json"
    make_private_folder(path.parent)
    write_durably(path, orjson.dumps(content) + b"\n")
    return path


def read_patient(path: Path) -> NewPatient:
    """Read a patient's file.

    Args:
        path: The file.

    Returns:
        The patient.

    Raises:
        InputError: The file was not written by :func:`import_patient`.
    """
    return _parse_patient(path, _read_object(path))


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(path, "file", "readable JSON", f"an error ({cause(error)})") from None
    if not isinstance(content, dict):
        raise InputError(path, "file", "a JSON object", shown(content))
    return content


def _parse_patient(path: Path, content: Mapping[str, Any]) -> NewPatient:
    try:
        packet, consent = content["phenopacket"], content["consent"]
        subject = packet["subject"]
        variants = {Variant(str(c), int(s), str(r), str(a)) for c, s, r, a in content["variants"]}
        patient = NewPatient(
            person=_identifier(path, subject["id"]),
            sex=SEXES.get(subject.get("sex", "")),
            age=_find_age(path, subject),
            terms=frozenset(_find_terms(packet)),
            variants=frozenset(variants | set(_interpreted_variants(packet))),
            uses=None if consent is None else tuple(consent["uses"]),
            withdrawn=consent is not None and consent["withdrawn"] is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        found = (
            f"one without {error}" if isinstance(error, KeyError) else f"another ({cause(error)})"
        )
        raise InputError(path, "phenopacket", "a phenopacket with subject.id", found) from None
    for variant in patient.variants:
        if not 0 <= variant.start < CONTIG_LENGTHS.get(variant.contig, 0):
            raise InputError(path, "variants", "positions on GRCh38", str(variant))
    return patient


def _identifier(path: Path, value: Any) -> str:
    if not isinstance(value, str) or not IDENTIFIER.fullmatch(value):
        expected = "1 to 100 letters, digits, '.', '_' and '-'"
        raise InputError(path, "phenopacket.subject.id", expected, shown(value))
    return value


def _find_age(path: Path, subject: Mapping[str, Any]) -> int | None:
    """Return completed years, from the age at the last encounter or else the date of birth."""
    duration = (subject.get("timeAtLastEncounter") or {}).get("age", {}).get("iso8601duration")
    if duration is not None:
        match = YEARS.fullmatch(duration)
        if match is None:
            key = "phenopacket.subject.timeAtLastEncounter"
            raise InputError(path, key, "an age like P27Y", shown(duration))
        return int(match[1] or 0)
    born = subject.get("dateOfBirth")
    if born is None:
        return None
    birth, today = date.fromisoformat(born[:10]), date.today()
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def _find_terms(packet: Mapping[str, Any]) -> Iterator[str]:
    for feature in packet.get("phenotypicFeatures", ()):
        if not feature.get("excluded", False):
            yield feature["type"]["id"]
    for disease in packet.get("diseases", ()):
        if not disease.get("excluded", False):
            yield disease["term"]["id"]


def _interpreted_variants(packet: Mapping[str, Any]) -> Iterator[Variant]:
    """Yield the variants that the interpretations of a phenopacket assign to its subject."""
    for interpretation in packet.get("interpretations", ()):
        for one in interpretation.get("diagnosis", {}).get("genomicInterpretations", ()):
            descriptor = one.get("variantInterpretation", {}).get("variationDescriptor", {})
            record = descriptor.get("vcfRecord")
            if record is not None and record.get("genomeAssembly") == "GRCh38":
                contig, start = record["chrom"], int(record["pos"]) - 1
                contig = contig if contig.startswith("chr") else f"chr{contig}"
                yield Variant(contig, start, record["ref"], record["alt"])


def _read_uses(text: str) -> list[str]:
    uses = [use.strip() for use in text.split(",")]
    for use in uses:
        if not TERM.fullmatch(use):
            expected = "DUO terms like DUO:0000042"
            raise InputError("rehearsal node admit", "--consent", expected, shown(use))
    return uses


def _sample_of(path: Path, names: list[str], person: str) -> str:
    if person in names:
        return person
    if len(names) == 1:
        return names[0]
    found = f"{len(names)} samples with other names"
    raise InputError(path, "samples", f"one sample, or one named {person}", found)


def _carried_variants(path: Path, person: str) -> Iterator[Variant]:
    """Yield the alternate alleles in a sample's genotypes."""
    import pysam  # imported here: only the operator's command reads VCF, not a node

    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(str(path)) as file:
            sample = _sample_of(path, list(file.header.samples), person)
            for record in file:
                alleles = [allele.upper() for allele in record.alleles or ()]
                contig = find_contig(record.chrom) or record.chrom
                for number in sorted(set(record.samples[sample].get("GT") or ()) - {None, 0}):
                    yield Variant(contig, record.start, alleles[0], alleles[number])
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        expected = "a readable VCF or BCF file"
        raise InputError(path, "file", expected, f"an unreadable one ({cause(error)})") from None
    finally:
        pysam.set_verbosity(verbosity)
