"""Metadata of tree sequences: that they are synthetic, what they stand on, and who the people are.

Users of tskit see it in ``ts.metadata`` and ``ts.individual(i).metadata``, by the schemas here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import tskit

from rehearsal.genomes.reference_identity import KEY, ReferenceIdentity
from rehearsal.model import SYNTHETIC

PEOPLE_COLUMNS = ("id", "country", "sex")
TREES_SCHEMA = tskit.MetadataSchema(
    {
        "codec": "json",
        "type": "object",
        "properties": {
            "description": {"type": "string", "description": "That the data are synthetic"},
            "synthetic": {"type": "boolean", "description": "Always true"},
            "assembly": {"type": "string", "description": "GRCh38, if all bases are its"},
            KEY: {"type": "object", "description": "File and digests of the reference"},
            "contig": {"type": "string"},
            "start": {"type": "integer", "description": "First base of the block, 0-based"},
            "end": {"type": "integer", "description": "End of the block, exclusive"},
        },
        "required": ["description", "synthetic", "assembly", "contig"],
    }
)


def trees_metadata(identity: ReferenceIdentity, contig: str) -> dict[str, Any]:
    """Build the top-level metadata of a tree sequence.

    Args:
        identity: What the sequences of the reference are.
        contig: The contig.
    """
    return {
        "description": SYNTHETIC,
        "synthetic": True,
        "assembly": identity.assembly(contig),
        KEY: identity.json,
        "contig": contig,
    }


def set_people(tables: tskit.TableCollection, people: pd.DataFrame) -> None:
    """Write ``id``, ``country`` and ``sex`` of people into the metadata of individuals.

    The bytes have a fixed length by person, so that a million people take a moment.

    Args:
        tables: Tables with one individual per person. Changed in place.
        people: The people in the order of the individuals.
    """
    columns = {name: people[name].to_numpy(str).astype("S") for name in PEOPLE_COLUMNS}
    sizes = {name: max(1, column.itemsize) for name, column in columns.items()}
    rows = np.zeros(len(people), [(name, f"S{size}") for name, size in sizes.items()])
    for name, column in columns.items():
        rows[name] = column
    individuals = tables.individuals
    individuals.metadata_schema = _people_schema(sizes)
    individuals.set_columns(
        flags=individuals.flags,
        location=individuals.location,
        location_offset=individuals.location_offset,
        parents=individuals.parents,
        parents_offset=individuals.parents_offset,
        metadata=np.frombuffer(rows.tobytes(), np.int8),
        metadata_offset=np.arange(len(people) + 1, dtype=np.uint64) * np.uint64(rows.itemsize),
    )


def _people_schema(sizes: dict[str, int]) -> tskit.MetadataSchema:
    """Describe rows of texts. The codec packs keys in the order of ``index``."""
    fields = {
        name: {
            "type": "string",
            "binaryFormat": f"{size}s",
            "nullTerminated": True,
            "index": number,
        }
        for number, (name, size) in enumerate(sizes.items())
    }
    return tskit.MetadataSchema(
        {
            "codec": "struct",
            "type": "object",
            "properties": fields,
            "required": list(PEOPLE_COLUMNS),
            "additionalProperties": False,
        }
    )
