"""The synthetic nodes that growth is measured over."""

from rehearsal.loadtest.growth import synthetic_nodes
from rehearsal.node.server import open_node


def test_synthetic_nodes_can_be_served_and_hold_the_same_sites_in_every_size(tmp_path):
    folders = synthetic_nodes.build_nodes(["BE", "FI"], 20, tmp_path / "small", 1)
    synthetic_nodes.build_nodes(["BE"], 60, tmp_path / "large", 1)
    node_data = open_node(folders["FI"])
    assert node_data.settings.country_code == "FI"
    assert len(node_data.variants.individuals) == 20
    first, last = (
        synthetic_nodes.FIRST,
        synthetic_nodes.FIRST + synthetic_nodes.APART * (synthetic_nodes.SITES - 1),
    )
    for folder in (folders["FI"], tmp_path / "large" / "BE"):
        variants = open_node(folder).variants
        rows = list(variants.overlapping(synthetic_nodes.CONTIG, first, last + 1))
        assert len(rows) == synthetic_nodes.SITES
        assert all(len(row.carriers()) for row in rows[:50])
