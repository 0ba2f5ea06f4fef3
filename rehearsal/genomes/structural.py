"""Structural variants in tree sequences: what the metadata of their sites says.

The site of a structural variant is the base before the event. Its ancestral state is that base, and
its derived states are symbolic alleles of VCF, such as ``<DEL>``.
"""

from __future__ import annotations

import numpy as np
import tskit
from numpy.typing import NDArray

SITE_SCHEMA = tskit.MetadataSchema(
    {
        "codec": "struct",
        "type": ["object", "null"],
        "properties": {
            # 0-based exclusive end of the affected bases of the reference
            "end": {"type": "integer", "binaryFormat": "i"},
            # bases that are deleted, duplicated, inserted or inverted
            "svlen": {"type": "integer", "binaryFormat": "i"},
        },
        "required": ["end", "svlen"],
        "additionalProperties": False,
    }
)
_ROW = np.dtype([("end", "<i4"), ("svlen", "<i4")])  # one row of metadata, as the codec packs it


def site_spans(ts: tskit.TreeSequence) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Read the bases of the reference that each site affects.

    Args:
        ts: The tree sequence of a block. Sites of structural variants have metadata.

    Returns:
        The 0-based exclusive end of the affected bases, and the length of the structural variant
        (0: the site has none), each of shape (n_sites,).
    """
    sites = ts.tables.sites
    length = np.diff(sites.ancestral_state_offset.astype(np.int64))
    end = ts.sites_position.astype(np.int64) + length
    size = np.zeros(ts.num_sites, np.int64)
    offset = sites.metadata_offset.astype(np.int64)
    structural = np.flatnonzero(np.diff(offset))
    rows = sites.metadata.view(np.uint8).view(_ROW)  # other sites have no bytes
    end[structural], size[structural] = rows["end"], rows["svlen"]
    return end, size
