"""Drawing the query suite."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from rehearsal.errors import InputError
from rehearsal.evaluation import suite as drawing
from rehearsal.evaluation import templates as reading
from rehearsal.evaluation.site_sample import sample_sites
from rehearsal.evaluation.suite import QuerySources, draw_suite, read_suite, write_suite
from rehearsal.evaluation.templates import KINDS, QueryTemplate, read_templates
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Gene, PlantedVariant, Query, Variant
from rehearsal.truth.hpo import at_or_below
from rehearsal.truth.pooled_sites import pooled_sites
from rehearsal.truth.query_answers import TruthCalculator

CONFIG = Path(__file__).resolve().parents[3] / "config" / "queries.yaml"
LOAD = CONFIG.parents[1] / "workflow/schemas/config.schema.yaml"
CODES = ["ICD10:I25.1", "ICD10:C50", "ICD10:E72.8"]
TERMS = ["HP:0001677", "HP:0003002", "HP:0003124", "HP:0001250", "HP:0002315", "HP:0100543"]


def demo_cohort() -> dict:
    """Tables like those of the default run, without a genome behind them."""
    rng = np.random.default_rng(1)
    people = pd.DataFrame({"id": [f"FI-{n}" for n in range(500)], "country": "FI"})
    people["sex"] = rng.choice(["female", "male"], 500)
    copies = np.concatenate([np.ones(3000), rng.integers(2, 10, 2000), rng.integers(50, 1000, 500)])
    sites = pd.DataFrame(
        {
            "contig": rng.choice(["chr1", "chr22", "chrX"], 5500, p=[0.04, 0.92, 0.04]),
            "start": rng.choice(5_000_000, 5500, replace=False),
            "ref": rng.choice(["A", "C"], 5500),
            "alt": rng.choice(["G", "T"], 5500),
            "end": 0,
            "svlen": 0,
            "ac": copies.astype(int),
            "an": 1000,
        }
    )
    planted = [
        PlantedVariant(Variant("chr17", 100 * n, "ACT", "A"), "G", f"v{n}", "dose", "c", {"*": 0.1})
        for n in range(7)
    ]
    indels = pd.DataFrame(
        [
            *((p.variant.contig, p.variant.start, "ACT", "A", 0, 0, 5, 1000) for p in planted),
            *(("chr22", 5_000_000 + n, "ACT", "A", 0, 0, 5, 1000) for n in range(60)),
            *(
                ("chr22", 6_000_000 + n, "A", alt, 6_009_000 + n, 9_000 - 1, 5, 1000)
                for n, alt in enumerate(["<DEL>", "<DUP:TANDEM>", "<INV>", "<CN0>"] * 5)
            ),
        ]
    )
    indels.columns = sites.columns
    planted.append(
        PlantedVariant(Variant("chr7", 9, "A", "T"), "BRAF", "V600E", "somatic", "cancer")
    )
    ill = people["id"][:90]
    sites = pd.concat([sites, indels], ignore_index=True)
    sites["end"] = sites["end"].where(sites["svlen"] > 0, sites["start"] + sites["ref"].str.len())
    return {
        "sites": sites,
        "planted": planted,
        "genes": [Gene(f"G{n}", "chr1", n, n + 1, "+") for n in range(6)],
        "people": people,
        "diseases": pd.DataFrame({"individual": ill, "code": rng.choice(CODES, 90)}),
        "features": pd.DataFrame({"individual": ill, "code": rng.choice(TERMS, 90)}),
    }


@pytest.fixture(scope="module")
def suite() -> list[Query]:
    return draw_suite(read_templates(CONFIG), QuerySources(**demo_cohort()), seed=20181)


def parameters(query: Query) -> dict:
    return query.request["query"]["requestParameters"]


def alleles(suite: list[Query], name: str) -> list[tuple[str, int, str]]:
    return [
        (f"chr{asked['referenceName']}", asked["start"][0], asked["alternateBases"])
        for asked in (parameters(query) for query in suite if query.id.startswith(name))
    ]


def test_the_default_suite_has_200_queries_of_all_kinds(suite: list[Query]):
    kinds = Counter(query.kind for query in suite)
    assert kinds.total() >= 200
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 10
    assert len({query.id for query in suite}) == len(suite)


def test_the_default_suite_asks_for_indels_and_structural_variants(suite: list[Query]):
    shapes = {one.name: one.shape for one in read_templates(CONFIG)}
    asked = Counter(
        shapes[query.id.rsplit("-", 1)[0]] for query in suite if query.kind != "ill_formed"
    )
    assert asked["indel"] >= 0.145 * len(suite)
    assert asked["structural"] >= 0.045 * len(suite)


def test_every_rule_has_keys_and_a_function():
    """The keys are in ``templates.RULES``, the functions in ``suite.RULES``."""
    assert drawing.RULES.keys() == reading.RULES.keys() - {"requests"}


def test_the_load_test_knows_every_kind_but_ill_formed_queries():
    schema = yaml.safe_load(LOAD.read_text())["properties"]["bench"]["properties"]["load"]
    allowed = schema["properties"]["kinds"]["propertyNames"]["enum"]
    weights = yaml.safe_load((CONFIG.parent / "config.yaml").read_text())["bench"]["load"]["kinds"]
    assert set(allowed) == set(weights) == set(KINDS) - {"ill_formed"}


def test_the_same_seed_draws_the_same_suite_and_another_does_not(suite: list[Query]):
    templates = read_templates(CONFIG)
    assert draw_suite(templates, QuerySources(**demo_cohort()), seed=20181) == suite
    assert draw_suite(templates, QuerySources(**demo_cohort()), seed=7) != suite


def test_removing_a_template_leaves_the_others_unchanged(suite: list[Query]):
    fewer = draw_suite(read_templates(CONFIG)[1:], QuerySources(**demo_cohort()), seed=20181)
    assert fewer == [query for query in suite if not query.id.startswith("frequency-singleton")]


def test_alleles_are_of_the_class_asked_for_and_contigs_take_turns(suite: list[Query]):
    copies = demo_cohort()["sites"].set_index(["contig", "start", "alt"])["ac"]
    drawn = {name: alleles(suite, f"frequency-{name}") for name in ("singleton", "rare", "common")}
    assert all(copies[key] == 1 for key in drawn["singleton"])
    assert all(1 < copies[key] <= 10 for key in drawn["rare"])
    assert all(copies[key] >= 50 for key in drawn["common"])
    # 4 % of the sites are on X, a third or a quarter of the queries
    assert sum(contig == "chrX" for contig, _, _ in drawn["singleton"]) >= 4
    for keys in drawn.values():
        assert len(set(keys)) == len(keys)


def test_indels_and_planted_variants_are_asked_for(suite: list[Query]):
    assert len(alleles(suite, "frequency-indel")) == 16
    planted = alleles(suite, "frequency-planted")
    assert len(planted) == 7
    assert ("chr7", 9, "T") not in planted
    assert alleles(suite, "absent-somatic") == [("chr7", 9, "T")]


def test_combinations_of_filters_match_at_least_one_person(suite: list[Query]):
    cohort = demo_cohort()
    sexes = (
        cohort["people"]
        .set_index("id")["sex"]
        .map({"female": "NCIT:C16576", "male": "NCIT:C20197"})
    )
    people = cohort["diseases"].merge(cohort["features"], on="individual")
    people["sex"] = people["individual"].map(sexes)
    known = set(people[["code_x", "code_y", "sex"]].itertuples(index=False, name=None))
    asked = [
        tuple(item["id"] for item in query.request["query"]["filters"])
        for query in suite
        if query.id.startswith("individuals-all-filters")
    ]
    assert len(asked) == 6
    assert set(asked) <= known


def test_counts_ask_for_a_page_of_one_so_that_totals_cannot_be_page_sizes(suite: list[Query]):
    pages = {
        query.request["query"]["requestedGranularity"]: query.request["query"]["pagination"][
            "limit"
        ]
        for query in suite
        if query.kind != "ill_formed"
    }
    assert pages == {"boolean": 1, "count": 1, "record": 1000}


@pytest.mark.parametrize("most", [40, 1_000_000])
def test_absent_queries_are_absent_and_the_others_are_not(
    trees, truth: TruthCalculator, cohort_tables: dict, most: int
):
    """Whether all alleles are known to draw from, or a sample of them."""

    def template(name: str, draw: str, **more) -> QueryTemplate:
        kind = "carriers" if draw == "carriers" else "presence"
        return QueryTemplate(name, kind, draw, number=5, granularity="count", **more)

    templates = [
        template("somebody-site", "site"),
        template("somebody-inside", "interval", length=2, shape="indel", inside=True),
        template("somebody-planted", "planted"),
        template("somebody-interval", "interval", length=30),
        template("somebody-carries", "carriers"),
        template("nobody-position", "empty_position"),
        template("nobody-allele", "wrong_allele"),
        template("nobody-somatic", "somatic"),
    ]
    sites = sample_sites(pooled_sites(trees), most, seed=1)
    for seed in range(30):
        suite = draw_suite(templates, QuerySources(sites, **cohort_tables), seed)
        expected = truth.compute_answers(suite)
        for query in suite:
            exists = any(answer.exists for answer in expected[query.id].values())
            assert exists == query.id.startswith("somebody"), query
        assert {query.id.rpartition("-")[0] for query in suite} == {t.name for t in templates}


@pytest.mark.parametrize("inside", [False, True])
def test_intervals_and_brackets_end_with_their_contig(inside: bool):
    """A node refuses a position beyond the end."""
    length = CONTIG_LENGTHS["chrM"]
    starts = np.arange(length - 30, length)
    sites = pd.DataFrame({"contig": "chrM", "start": starts, "ref": "A", "alt": "G"})
    sites = sites.assign(end=starts + 1, svlen=0, ac=5, an=1000)
    sources = QuerySources(**demo_cohort() | {"sites": sites})
    templates = [
        QueryTemplate("range", "range", "interval", 20, length=1000, inside=inside),
        QueryTemplate("bracket", "range", "bracket", 20, length=1000),
    ]
    suite = draw_suite(templates, sources, seed=1)
    asked = [query.request["query"]["requestParameters"] for query in suite]
    assert len(asked) == 40
    assert max(max(one["end"]) for one in asked) == length
    for one in asked:
        assert max(one["start"]) <= length
        assert min(one["start"]) < max(one["end"])


def test_a_template_that_finds_nothing_draws_nothing_and_is_logged(cohort_tables, trees, caplog):
    templates = [
        QueryTemplate("gene", "gene", "gene", 3),
        QueryTemplate("people", "individuals", "people", 3),
    ]
    cohort_tables |= {"genes": []}
    suite = draw_suite(templates, QuerySources(pooled_sites(trees), **cohort_tables), seed=1)
    assert [query.kind for query in suite] == ["individuals"]
    line = "template gene draws no query: the cohort has nothing for draw: gene"
    assert line in caplog.text


def test_the_suite_survives_its_file(suite: list[Query], tmp_path: Path):
    write_suite(suite, tmp_path / "suite.json")
    assert read_suite(tmp_path / "suite.json") == suite
    line = r"suite.json: file: expected a query suite in JSON, found other content \(an entry that"
    unknown_type = '[{"id": 3, "kind": "count", "entry_type": "g_variants", "request": {}}]'
    for content in ("[{}]", "3", "null", '["a"]', unknown_type):
        (tmp_path / "suite.json").write_text(content)
        with pytest.raises(InputError, match=line):
            read_suite(tmp_path / "suite.json")
    line = r"none.json: file: .*, found an unreadable file \(No such file or directory\)"
    with pytest.raises(InputError, match=line):
        read_suite(tmp_path / "none.json")


SITE = "{name: a, kind: count, draw: site, number: 1, granularity: count"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "line 1: expected valid YAML, found an error (expected the node content"),
        ("templates:", "templates: expected a list of at least one template, found nothing"),
        ("templates: []", "templates: expected a list of at least one template, found []"),
        ("templates: [5]", "templates[0]: expected a mapping with a name, found 5"),
        (
            "templates: [{name: a, draw: lots}]",
            "templates[0] (a).draw: expected one of site, planted, interval, bracket, gene, "
            "people, carriers, empty_position, wrong_allele, somatic, requests, found 'lots'",
        ),
        ("templates: [{name: a, draw: [site]}]", "requests, found ['site']"),
        ("templates: [{name: a}]", "requests, found nothing"),
        (
            "templates: [{name: a, draw: site, kind: count, number: 1}]",
            "templates[0] (a).granularity: expected a value (draw: site needs it), found nothing",
        ),
        (
            f"templates: [{SITE}, colour: red, 1: 2}}]",
            "templates[0] (a): expected only the keys draw, frequency, granularity, kind, method, "
            "name, number, purpose, shape, tier for draw: site, found 1",
        ),
        (
            f"templates: [{SITE}, frequency: often}}]",
            "(a).frequency: expected one of singleton, rare, common, found 'often'",
        ),
        (
            f"templates: [{SITE}}}, {SITE}}}]",
            "templates[1].name: expected a name that no other template has, found 'a' again",
        ),
        (
            f"templates: [{SITE.replace('number: 1', 'number: -1')}}}]",
            "(a).number: expected a whole number of at least 1, found -1",
        ),
        (
            f"templates: [{SITE.replace('number: 1', 'number: yes')}}}]",
            "(a).number: expected a whole number of at least 1, found true",
        ),
        (
            f"templates: [{SITE.replace('site', 'people')}, filters: [age]}}]",
            "(a).filters: expected a list with some of sex, disease, phenotype, phenotype_parent, "
            "found ['age']",
        ),
        (
            "templates: [{name: a, kind: ill_formed, draw: requests, requests: [{}]}]",
            "(a).requests[0]: expected a mapping with name and why, and optionally entry_type, "
            "filters, granularity, method, pagination, parameters, found {}",
        ),
    ],
)
def test_an_unusable_template_is_named_in_one_line(tmp_path: Path, content: str, said: str):
    path = tmp_path / "queries.yaml"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_templates(path)
    assert f"{path}: " in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("purpose", "fine"),
    [
        ("null", True),
        ("DUO:0000006", True),
        ("DUO:0000007 MONDO:0007254", True),
        ("health research", False),
        ("DUO:6", False),
        ("DUO:0000006 ", False),
        ("DUO:0000007 ICD10:C50", False),
        ("MONDO:0007254", False),
        ("6", False),
    ],
)
def test_a_purpose_is_a_duo_term(tmp_path: Path, purpose: str, fine: bool):
    path = tmp_path / "queries.yaml"
    value = purpose if purpose in ("null", "6") else f'"{purpose}"'
    path.write_text(f"templates: [{SITE}, purpose: {value}}}]")
    if fine:
        assert read_templates(path)[0].purpose == (None if purpose == "null" else purpose)
    else:
        with pytest.raises(InputError, match=r"purpose: expected a DUO term like .*, found "):
            read_templates(path)


def parent_queries(seed: int = 20181) -> list[str]:
    template = QueryTemplate("p", "individuals", "people", number=9, filters=("phenotype_parent",))
    drawn = draw_suite([template], QuerySources(**demo_cohort()), seed=seed)
    return [query.request["query"]["filters"][0]["id"] for query in drawn]


def test_more_general_terms_lie_two_levels_above_those_of_people():
    terms = parent_queries()
    assert terms == parent_queries()
    assert len(set(terms)) == len(terms) > 3
    assert "HP:0002634" in terms  # two above HP:0001677, coronary atherosclerosis
    assert not {"HP:0000001", "HP:0000118", "HP:0001626"} & set(terms)
    for term in terms:
        assert at_or_below(term) & set(TERMS)
        assert term not in TERMS
