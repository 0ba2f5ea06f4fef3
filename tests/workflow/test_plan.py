"""What a plan of the workflow costs, asks for and records."""

import pickle
import sys
from pathlib import Path

import pytest

from .planning import plan

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "workflow"))
from recorded import RecordedByDigest  # noqa: E402

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(600)]
LONGEST_RECORD = 3000  # characters: the configuration and paths of 28 nodes


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    """The plan of the default configuration."""
    return plan(tmp_path_factory.mktemp("default"))


def test_no_job_records_params_that_grow_with_patients_blocks_or_genes(default):
    records = {job["rule"]: job["record"] for job in default["jobs"]}
    assert {rule: size for rule, size in records.items() if size > LONGEST_RECORD} == {}
    assert max(records[rule] for rule in ("simulate_block", "compute_genetic_values")) < 1000


def test_a_list_is_recorded_by_a_digest_of_what_is_in_it():
    one, same, other = (RecordedByDigest(range(n)) for n in (1000, 1000, 1001))
    assert repr(one) == repr(same) != repr(other)
    assert len(repr(one)) < 100


def test_a_script_gets_a_plain_list():
    found = pickle.loads(pickle.dumps(RecordedByDigest(["a", "b"])))
    assert type(found) is list
    assert found == ["a", "b"]
