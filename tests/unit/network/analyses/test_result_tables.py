"""Results as tables: rows are named, columns are whole, and every number reads back."""

import io

import numpy as np
import orjson
import pandas as pd
import pytest

from rehearsal.analyses.network_side import AddedSums
from rehearsal.analyses.rounds import plan_steps
from rehearsal.network.analyses.result_tables import result_tables
from tests.unit.analyses.cohort import play, simulate

VARIANTS = ["contig", "position", "ref", "alt"]
HEIGHT = {"outcome": "height", "covariates": ["components"]}
SITE = ["chr1", 0, "A", "C"]
STEPS = [
    {"algorithm": "components", "parameters": {"number": 2, "rounds": 3}},
    {"algorithm": "linear", "parameters": HEIGHT},
    {
        "algorithm": "burden",
        "parameters": {
            "model": "linear",
            "outcome": "height",
            "genes": [{"name": "GENE1", "variants": [SITE]}],
        },
    },
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    cohort = simulate(tmp_path_factory.mktemp("cohort"), sizes=(60, 50), n_variants=40)
    return cohort, play(cohort.views(), {"steps": STEPS})


def test_rows_are_variants_genes_and_components(run):
    cohort, network = run
    tables = result_tables(network.steps, network.results, {})
    assert list(tables["linear"].columns)[:5] == [*VARIANTS, "beta"]
    sites = zip(*(tables["linear"].columns[name] for name in VARIANTS), strict=True)
    first = [(contig, position - 1, ref, alt) for contig, position, ref, alt in sites]
    assert first == [cohort.sites[i] for i in cohort.order(network.results)]
    assert list(tables["components"].columns) == [*VARIANTS, "loadings_1", "loadings_2"]
    assert tables["components"].rows == network.results["components"]["chosen"].size
    assert tables["components.eigenvalues"].rows == 2
    assert tables["burden"].columns["gene"].tolist() == ["GENE1"]


def test_every_number_reads_back_as_itself(run):
    _, network = run
    table = result_tables(network.steps, network.results, {})["linear"]
    text = pd.read_csv(io.BytesIO(table.tsv()), sep="\t")
    columns = orjson.loads(table.json())
    for name in ("beta", "se", "z", "p", "frequency"):
        np.testing.assert_array_equal(text[name], table.columns[name])
        np.testing.assert_array_equal(np.array(columns[name], float), table.columns[name])
    assert b"nan" not in table.tsv() + table.json()


def test_sums_of_an_algorithm_that_the_network_does_not_know_are_added():
    side = AddedSums("sums", masked=False)
    node = {"people": np.array(3), "by_sex": np.array([1, 2]), "../up": np.array([0.5])}
    side.advance([node, node])
    assert side.done
    tables = result_tables(side.steps, side.results, {})
    assert {name: table.rows for name, table in tables.items()} == {
        "sums": 2,
        "sums..._up": 1,
        "sums.people": 1,
    }
    assert tables["sums"].tsv() == b"row\tby_sex\n0\t2\n1\t4\n"


def test_a_search_that_finds_no_pair_has_an_empty_table():
    step = plan_steps({"steps": [{"algorithm": "kinship"}]})[-1]
    none = {"node": np.zeros((0, 2), int), "row": np.zeros((0, 2), int), "cosine": np.zeros(0)}
    found = none | {"duplicate": np.zeros(0, bool), "pairs_compared": np.array(90)}
    tables = result_tables([step], {"kinship": found}, {"kinship": ["BE", "EE"]})
    assert tables["kinship"].rows == 0
    assert tables["kinship"].tsv() == b"node_1\tnode_2\trow_1\trow_2\tcosine\tduplicate\n"
    assert tables["kinship.pairs_compared"].columns["pairs_compared"].tolist() == [90]
