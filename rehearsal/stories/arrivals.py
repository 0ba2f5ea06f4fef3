"""New patients at a node while a subscription looks for people like them.

An arrival is a mapping of plain JSON values: ``handle``, ``name``, ``country``, ``individual``,
``sex``, ``age`` (years), ``terms`` (HPO), ``variants`` (contig, 0-based start, ref, alt) and
``consent`` (DUO terms).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.model import SEXES
from rehearsal.node.alerts.patient_import import FOLDER, TAKEN, import_patient
from rehearsal.phenotypes.consent import USE
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.reference_checks import RunReferences

Arrival = Mapping[str, Any]


def read_arrival(handle: str, entry: Entry, references: RunReferences) -> dict[str, Any]:
    """Read an arrival.

    Args:
        handle: Its handle.
        entry: The arrival.
        references: What stories may refer to.

    Raises:
        InputError: A key or value is not allowed.
    """
    part = entry.fields(("country", "sex", "age", "terms", "consent"), ("name", "carries"))
    carries = (
        [references.variant(one) for one in part["carries"].items()] if "carries" in part else []
    )
    country = references.country(part["country"])
    return {
        "handle": handle,
        "name": part["name"].text() if "name" in part else "",
        "country": country,
        "individual": f"{country}-ARRIVAL-{handle}",
        "sex": part["sex"].choice(*SEXES),
        "age": part["age"].whole_number(0, 150),
        "terms": [references.hpo_term(item) for item in part["terms"].items()],
        "variants": [[v.contig, v.start, v.ref, v.alt] for v in (one.variant for one in carries)],
        "consent": [item.text(USE.pattern, "DUO:0000042") for item in part["consent"].items()],
    }


def admit_arrival(arrival: Arrival, folder: Path) -> Path:
    """Add a patient to a running node, even if the node has taken them before.

    Args:
        arrival: The arrival.
        folder: The node's folder.

    Returns:
        The file that waits for the node; the node removes it when it takes it.
    """
    (folder / FOLDER / TAKEN / f"{arrival['individual']}.json").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as aside:
        path = Path(aside) / "phenopacket.json"
        path.write_text(json.dumps(arrival_phenopacket(arrival)))
        return import_patient(folder, path, consent=",".join(arrival["consent"]))


def arrival_phenopacket(arrival: Mapping[str, Any]) -> dict[str, Any]:
    """Build the phenopacket of an arrival: GA4GH Phenopackets v2.

    Args:
        arrival: The arrival.
    """
    interpretations = [
        {
            "subjectOrBiosampleId": arrival["individual"],
            "interpretationStatus": "UNKNOWN_STATUS",
            "variantInterpretation": {
                "variationDescriptor": {
                    "id": f"{contig}-{start + 1}-{ref}-{alt}",
                    "vcfRecord": {
                        "genomeAssembly": "GRCh38",
                        "chrom": contig,
                        "pos": str(start + 1),
                        "ref": ref,
                        "alt": alt,
                    },
                    "moleculeContext": "genomic",
                }
            },
        }
        for contig, start, ref, alt in arrival["variants"]
    ]
    return {
        "id": arrival["individual"],
        "subject": {
            "id": arrival["individual"],
            "sex": arrival["sex"].upper(),
            "timeAtLastEncounter": {"age": {"iso8601duration": f"P{arrival['age']}Y"}},
        },
        "phenotypicFeatures": [{"type": {"id": term, "label": term}} for term in arrival["terms"]],
        "interpretations": [
            {
                "id": f"{arrival['individual']}-IN1",
                "progressStatus": "IN_PROGRESS",
                "diagnosis": {
                    "disease": {"id": "MONDO:0000001", "label": "disease"},
                    "genomicInterpretations": interpretations,
                },
            }
        ],
        "metaData": {"created": "2026-12-31T00:00:00Z", "createdBy": "rehearsal"},
    }
