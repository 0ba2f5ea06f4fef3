"""Where to go on from records: to the htsget ticket of variants, to the Phenopacket of a person.

Only records lead on, and only those of the dataset of people: whoever receives them may read the
genomes and Phenopackets too.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlencode

from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.result import Record, ResultSet
from rehearsal.web.openapi import Body

# formats in EDAM, edamontology.org
VCF = {"id": "EDAM:format_3016", "label": "VCF"}
JSON = {"id": "EDAM:format_3464", "label": "JSON"}


def handovers(
    one: ResultSet, entry_type: str, node_data: NodeData, base: Callable[[], str]
) -> list[Body]:
    """Build the handovers of a result set with records.

    Args:
        one: The result set.
        entry_type: Path of the endpoint of its entries.
        node_data: The node's data.
        base: Returns the URL by which the caller reached the node, without a slash at the end.

    Returns:
        The handovers, possibly none.
    """
    if one.dataset != node_data.settings.people_dataset:
        return []
    if entry_type == "individuals":
        address = base()
        return [_to_phenopacket(record, address) for record in one.records]
    if entry_type == "g_variants" and node_data.has_genomes:
        return _to_tickets(one, base())
    return []


def _to_phenopacket(record: Record, base: str) -> Body:
    return {
        "handoverType": JSON,
        "note": f"Phenopacket of {record['id']}",
        "url": f"{base}/individuals/{quote(record['id'], safe='')}/phenopacket",
    }


def _to_tickets(one: ResultSet, base: str) -> list[Body]:
    """Build one ticket per contig, of the range in which the variants of the page lie."""
    ranges: dict[str, tuple[int, int]] = {}
    for record in one.records:
        contig = record["variantInternalId"].partition("-")[0]
        variation = record["variation"]
        location = variation["subject" if "subject" in variation else "location"]  # a copy number
        interval = location["interval"]
        start, end = interval["start"]["value"], interval["end"]["value"]
        low, high = ranges.get(contig, (start, end))
        ranges[contig] = min(low, start), max(high, end)
    return [
        {
            "handoverType": VCF,
            "note": f"htsget ticket of {contig}:{start + 1}-{end}",
            "url": f"{base}/htsget/variants/{one.dataset}?"
            + urlencode({"referenceName": contig, "start": start, "end": end}),
        }
        for contig, (start, end) in ranges.items()
    ]
