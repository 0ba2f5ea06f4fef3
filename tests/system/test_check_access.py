"""`rehearsal check` of a node that opens its records to holders of a grant."""

from dataclasses import replace

import pytest

from rehearsal.cli import main
from rehearsal.dataset.build import write_truth
from rehearsal.dataset.place_files import Place, write_place
from rehearsal.dataset.plan import DatasetOrder, make_plan
from rehearsal.dataset.simulated_cohort import simulate_cohort
from rehearsal.network.issuer import make_issuer
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.people_store_writer import build_people

from .test_access import running, token

pytestmark = pytest.mark.system

ORDER = DatasetOrder(
    people={"FI": 24},
    regions=["chr22:20000000-20060000"],
    formats=["vcf"],
    plant={"BRCA1:c.5266dup": 3},
    traits=["ldl", "coronary_artery_disease"],
    pooled=False,
    recipients=[],
    reference=None,
    seed=5,
)
PEOPLE, FREQUENCIES = "GDI-FI-REHEARSAL-1", "GOE-FI-REHEARSAL-1"
AUDIENCE = ("--audience", "org.rehearsal.fi")
EVERYTHING = (*AUDIENCE, "--grant", PEOPLE, "--grant", FREQUENCIES)
HEALTH = "DUO:0000006"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A dataset with its truth, its cohort and its plan."""
    folder = tmp_path_factory.mktemp("dataset")
    plan = make_plan(ORDER, folder / "OUT")
    cohort = simulate_cohort(plan, folder, lambda stage: None)
    write_place(Place("FI", plan, cohort, folder / "FI"))
    write_truth(plan, cohort, folder / "truth")
    return folder, cohort


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return make_issuer(tmp_path_factory.mktemp("run") / "issuer")


@pytest.fixture(scope="module")
def node(dataset, issuer, tmp_path_factory):
    """A node with the dataset, whose people permit general research only."""
    source, cohort = dataset
    folder = tmp_path_factory.mktemp("nodes") / "FI"
    folder.mkdir()
    vcfs = sorted((source / "FI").glob("*.vcf.gz"))
    build_from_vcf(vcfs, cohort.people, folder / "variants.sqlite")
    tables = {name: cohort.tables[name] for name in ("diseases", "measurements", "features")}
    consent = cohort.people[["id"]].rename(columns={"id": "individual"})
    tables["consent"] = consent.assign(basis="consent", uses="DUO:0000042", withdrawn=False)
    build_people(cohort.people, tables, folder / "people.sqlite")
    settings = NodeSettings.for_country("FI", "Finland")
    replace(settings, access=AccessSettings(issuers=(issuer.trusted(),))).write(folder)
    with running(tmp_path_factory.mktemp("endpoints") / "FI.json", "node", "serve", folder) as url:
        yield url


@pytest.fixture
def check(node, dataset, issuer, monkeypatch, capsys):
    """Check the node with a passport. Return the command's status and output."""

    def checked(*options, passport=EVERYTHING):
        monkeypatch.setenv("PASSPORT", token(issuer, *passport))
        truth = str(dataset[0] / "truth")
        with pytest.raises(SystemExit) as ended:
            main(["check", node, "--truth", truth, "--token-variable", "PASSPORT", *options])
        return ended.value.code, capsys.readouterr().out

    return checked


def test_records_are_judged_with_a_passport_for_them(check):
    status, said = check("--purpose", HEALTH)
    assert status == 0, said
    assert " on frequencies" in said
    assert " on people" in said


@pytest.mark.parametrize(
    ("dataset_id", "options", "basis"),
    [
        (PEOPLE, [], " on people"),
        (FREQUENCIES, ["--loaded", "frequencies"], " on frequencies"),
    ],
)
def test_one_dataset_of_the_node_is_asked(check, dataset_id, options, basis):
    status, said = check("--purpose", HEALTH, "--dataset", dataset_id, *options)
    assert status == 0, said
    assert basis in said


def test_an_unknown_dataset_has_no_records(check):
    status, said = check("--purpose", HEALTH, "--dataset", "GDI-FI-NOTHING-1")
    assert status == 1
    assert "refused (404)" in said and "WRONG" not in said
    assert " on people" not in said


def test_without_a_purpose_answers_are_empty_and_judged_wrong(check):
    """Permission for general research does not cover an unstated purpose."""
    status, said = check()
    assert status == 1
    assert "exists False instead of True" in said


def test_without_a_visa_for_the_data_no_people_are_named(check):
    status, said = check("--purpose", HEALTH, passport=AUDIENCE)
    assert status == 1
    assert " on people" not in said
