"""Drugs that are risky with a person's genotype: rules as data, evaluated at the person's node.

A table in the node's folder (``drug_genes.tsv``, with 1-based positions as in VCF) names a drug by
ATC code, an allele, and the number of copies from which the drug is flagged.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request

from rehearsal.errors import InputError, cause, shown
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Variant
from rehearsal.node.access.patient_access import own_patient
from rehearsal.node.access.rights import caller_rights
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.web.app import Api, Json, query_pairs
from rehearsal.web.openapi import (
    COUNT,
    TEXT,
    Body,
    all_of,
    in_path,
    in_query,
    informational,
    list_of,
    operation,
)
from rehearsal.web.problem import Problem

FILE_NAME = "drug_genes.tsv"
COLUMNS = (
    *("drug", "label", "gene", "variant", "contig", "position", "ref", "alt", "copies"),
    *("advice", "evidence"),
)
MOST_DRUGS = 50  # per request
DRUG = {"type": "string", "pattern": "^ATC:", "description": "ATC code, as ATC:C10AA01."}


@dataclass(frozen=True, slots=True)
class DrugRule:
    """A rule that flags a drug for carriers of an allele."""

    drug: str  # a CURIE: ``ATC:C10AA01``
    label: str  # name of the drug
    gene: str  # gene symbol
    name: str  # of the allele
    variant: Variant
    copies: int  # copies of the allele from which the drug is flagged
    advice: str
    evidence: str


def read_drug_rules(path: Path) -> list[DrugRule]:
    """Read a table of rules.

    Args:
        path: The TSV file.

    Returns:
        One rule per row.

    Raises:
        InputError: The file is unreadable, or names the line and column of a wrong value.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t")
            if tuple(reader.fieldnames or ()) != COLUMNS:
                found = ", ".join(reader.fieldnames or ()) or "nothing"
                raise InputError(path, "line 1", f"the columns {', '.join(COLUMNS)}", found)
            return [_read_rule(path, reader.line_num, row) for row in reader]
    except InputError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        expected = "a readable TSV file"
        raise InputError(path, "file", expected, f"an unreadable one ({cause(error)})") from None


def _read_rule(path: Path, line: int, cells: dict[str | Any, str | Any]) -> DrugRule:
    if None in cells or None in cells.values():  # csv's marks for too many and too few cells
        found = "more columns" if None in cells else "fewer columns"
        raise InputError(path, f"line {line}", f"{len(COLUMNS)} columns", found)
    row: dict[str, str] = cells
    for column, expected in _find_mistakes(row):
        raise InputError(path, f"line {line}: {column}", expected, shown(row[column]))
    variant = Variant(row["contig"], int(row["position"]) - 1, row["ref"], row["alt"])
    return DrugRule(
        row["drug"],
        row["label"],
        row["gene"],
        row["variant"],
        variant,
        int(row["copies"]),
        row["advice"],
        row["evidence"],
    )


def _find_mistakes(row: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the columns with wrong values, each with what was expected."""
    if not row["drug"].startswith("ATC:"):
        yield "drug", "an ATC code like ATC:C10AA01"
    if row["contig"] not in CONTIG_LENGTHS:
        yield "contig", "a contig of GRCh38 like chr12"
    for column in ("position", "copies"):
        if not re.fullmatch("[1-9][0-9]{0,8}", row[column]):
            yield column, "a whole number of at least 1"
    for column in ("ref", "alt"):
        if not row[column] or not set(row[column]) <= set("ACGT"):
            yield column, "bases A, C, G, T"


class DrugFlags:
    """``GET /drug_flags/{id}?drugs=ATC:C10AA01,ATC:C10AA05``, for a clinician's own patient.

    Args:
        node_data: The node's data.
        folder: The node's folder. Without a table in it, no drug is flagged.

    Raises:
        InputError: The table is invalid.
    """

    def __init__(self, node_data: NodeData, folder: Path | None) -> None:
        self._node_data = node_data
        path = None if folder is None else folder / FILE_NAME
        self._rules = read_drug_rules(path) if path is not None and path.exists() else []

    def add_to(self, api: Api) -> None:
        """Add the route.

        Args:
            api: The node's API.
        """
        api.add("/drug_flags/{id}", self.answer)

    def paths(self) -> Body:
        """Return the OpenAPI path item of the route."""
        identifier = in_path("id")[0] | {"description": "The patient's identifier."}
        return {"/drug_flags/{id}": {"parameters": [identifier], "get": described()}}

    async def answer(self, request: Request) -> Json:
        """Answer a request.

        Args:
            request: The request, after authorization.

        Returns:
            One flag per drug.

        Raises:
            Problem: The caller may not see the patient (401, 403, 404), or a parameter is wrong
                (400).
        """
        caller = caller_rights(request)
        position = own_patient(
            caller, self._node_data.settings, self._node_data.people, request.path_params["id"]
        )
        drugs = _drugs(query_pairs(request)) or sorted({rule.drug for rule in self._rules})
        response = {"drugs": [self._flag(drug, position) for drug in drugs]}
        return Json(envelope.informational(self._node_data.settings.beacon_id, response))

    def _flag(self, drug: str, position: int) -> dict[str, Any]:
        """Evaluate the rules of a drug. A drug with 0 rules is not known to be safe."""
        rules = [rule for rule in self._rules if rule.drug == drug]
        reasons = [
            {**_reason(rule), "copies": copies}
            for rule in rules
            if (copies := self._copies(rule.variant, position)) >= rule.copies
        ]
        return {"drug": drug, "flagged": bool(reasons), "rules": len(rules), "reasons": reasons}

    def _copies(self, variant: Variant, position: int) -> int:
        row = self._node_data.variants.get(variant.contig, variant.start, variant.ref, variant.alt)
        if row is None:
            return 0
        return int(position in row.carriers()) + int(position in row.homozygotes())


def described() -> Body:
    """Build the OpenAPI operation of the route."""
    about = {
        "label": "Name of the drug.",
        "gene": "Gene symbol.",
        "name": "Name of the allele.",
        "variant": "The allele, with a 1-based position.",
        "advice": "What to consider.",
        "evidence": "Source of the rule.",
    }
    texts = {name: {**TEXT, "description": one} for name, one in about.items()}
    copies = {"enum": [1, 2], "description": "Copies of the allele that the patient has."}
    reason = all_of({**texts, "copies": copies})
    drug = {
        "drug": DRUG,
        "flagged": {"type": "boolean", "description": "Whether any rule applies."},
        "rules": {**COUNT, "description": "Number of rules for this drug. 0 does not mean safe."},
        "reasons": {**list_of(reason), "description": "The rules that apply."},
    }
    drugs = {**list_of(all_of(drug)), "description": "One entry per drug."}
    answer = informational(all_of({"drugs": drugs}))
    which = {"description": "Drugs to check. By default all drugs with rules."}
    asked = in_query("drugs", list_of(DRUG, MOST_DRUGS)) | which
    summary = "Flag drugs that are risky with the genotype of a clinician's own patient."
    return operation(summary, answer, parameters=[asked])


def _reason(rule: DrugRule) -> dict[str, Any]:
    reason = asdict(rule) | {"variant": str(rule.variant)}
    del reason["drug"]
    return reason


def _drugs(pairs: Sequence[tuple[str, str]]) -> list[str]:
    drugs: list[str] = []
    for key, value in pairs:
        if key != "drugs":
            raise Problem.mismatch("the URL", "no other parameter than drugs", shown(key))
        drugs += [one for one in value.split(",") if one]
    for drug in drugs:
        if not drug.startswith("ATC:"):
            raise Problem.mismatch("drugs", "ATC codes like ATC:C10AA01", shown(drug))
    if len(drugs) > MOST_DRUGS:
        raise Problem.mismatch("drugs", f"at most {MOST_DRUGS} drugs", str(len(drugs)))
    return list(dict.fromkeys(drugs))
