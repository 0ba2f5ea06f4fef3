"""Attacks on the airlock: what an algorithm wrote carries the data, what leaves does not."""

import io
import json
import sys
import time
import zipfile

import numpy as np
import pytest
from pyroaring import BitMap

from rehearsal.node.airlock.airlock import TIME_STEP_S, Airlock, Asked
from rehearsal.node.airlock.arrays import Malformed
from rehearsal.node.airlock.bits import ARRAY_BITS, FLAG_BITS
from rehearsal.node.privacy.ledger import Ledger
from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.wes.run import CODES
from rehearsal.node.wes.sandbox import Sandbox, Walls

from .conftest import ATTACKS, LIMITS

pytestmark = pytest.mark.system

BYTE = ord("t")  # the first of the data in the view
BITS = [BYTE >> i & 1 for i in range(8)]
PEOPLE = 50
DECLARED = {"total": "sum", "cases": "count", "names": "list"}


@pytest.fixture
def leak(tmp_path):
    """Run a channel of ``leak.py``: what the algorithm wrote, by the name of the file."""
    view = tmp_path / "view"
    view.mkdir()
    (view / "people.txt").write_text("the data\n")

    def run(channel):
        command = [sys.executable, "/algorithm/leak.py", channel]
        with Sandbox(Walls(LIMITS), ATTACKS, view, {}, command) as sandbox:
            frames = {frame.name: frame.content for frame in sandbox.frames()}
        print(frames["log"].decode())
        return frames

    return run


def leaves(frames, name="result", people=range(PEOPLE), airlock=None, began=None, **asked):
    """What the airlock makes of it: the result, or the word by which it ends."""
    airlock = airlock or Airlock(AnalysisSettings(), None, Ledger("release", bytes(32)))
    began = time.monotonic() if began is None else began
    asked = Asked(
        run="run",
        algorithm=asked.get("algorithm", "leak"),
        declared=DECLARED,
        largest_mb=1,
        caller="somebody",
        purpose=asked.get("purpose", "DUO:0000006"),
        people=BitMap(people),
        began=began,
    )
    try:
        return airlock.take(
            asked, name, frames[f"outputs/{name}.npz"], frames[f"outputs/{name}.json"]
        )
    except Malformed as problem:
        return problem.reason


def total(content):
    with np.load(io.BytesIO(content)) as file:
        return file["total"]


def harmless(shape=8):
    return [1000.0] * shape


def test_low_bits_of_numbers(leak):
    frames = leak("low_bits")
    assert (total(frames["outputs/result.npz"]).view(np.int64) & 1).tolist() == BITS
    assert total(leaves(frames).archive).tolist() == harmless()


def test_what_is_not_a_number(leak):
    frames = leak("not_a_number")
    assert (total(frames["outputs/result.npz"]).view(np.int64) & 1).tolist() == BITS
    assert leaves(frames) == "not_finite"


def test_signs_of_zeros(leak):
    frames = leak("sign_of_zero")
    assert np.signbit(total(frames["outputs/result.npz"])).tolist() == [bool(b) for b in BITS]
    assert not np.signbit(total(leaves(frames).archive)).any()


@pytest.mark.parametrize(
    ("channel", "word"), [("text", "wrong_type"), ("pickled", "wrong_archive")]
)
def test_what_is_no_number(leak, channel, word):
    frames = leak(channel)
    with np.load(io.BytesIO(frames["outputs/result.npz"]), allow_pickle=True) as file:
        assert str(BYTE) in str(file["total"])
    assert leaves(frames) == word


def test_names_of_arrays(leak):
    frames = leak("array_name")
    with np.load(io.BytesIO(frames["outputs/result.npz"])) as file:
        assert f"total_{BYTE}" in file.files
    assert leaves(frames) == "undeclared_array"


def test_names_of_files(leak):
    """Found by the worker, which takes declared names only (tests/unit/node/wes)."""
    assert f"outputs/result_{BYTE}.npz" in leak("file_name")


@pytest.mark.parametrize(
    ("channel", "carried"),
    [
        ("comment", lambda raw, _: int(zipfile.ZipFile(io.BytesIO(raw)).comment)),
        ("padding", lambda raw, _: raw[0]),
        (
            "time_of_file",
            lambda raw, _: (
                (when := zipfile.ZipFile(io.BytesIO(raw)).infolist()[0].date_time)[0]
                - 1980
                + 100 * (when[1] - 1)
            ),
        ),
        ("more_keys", lambda _, about: json.loads(about)["note"]),
        (
            "spaces",
            lambda _, about: len(about.splitlines()[1]) - len(about.splitlines()[1].lstrip()),
        ),
        ("byte_order", lambda raw, _: BYTE if (total(raw).dtype.str == ">f8") == BITS[0] else 0),
    ],
)
def test_what_stands_around_the_numbers(leak, channel, carried):
    frames = leak(channel)
    assert carried(frames["outputs/result.npz"], frames["outputs/result.json"]) == BYTE
    result, plain = leaves(frames), leaves(leak("duration"))
    assert result.archive == plain.archive
    assert result.about == plain.about


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        ("one_person", "small_count"),
        ("rows", "person_rows"),
        ("more_rows", "person_rows"),
        ("named_rows", "person_rows"),
        ("sums_of_nobody", "wrong_count"),
        ("few_people", "few_people"),
    ],
)
def test_numbers_about_too_few(leak, channel, reason):
    result = leaves(leak(channel))
    assert result.reasons == (reason,)


def test_shapes_are_bounded_and_charged(leak):
    frames = leak("shape")
    assert total(frames["outputs/result.npz"]).shape == (BYTE << 40, 0)  # no cell, any number
    assert leaves(frames) == "too_large"
    told = leaves(leak("length"))
    assert total(told.archive).shape == (BYTE,)
    assert told.bits >= 2 * np.log2(BYTE) + BYTE * (48 + 12)


def test_lists_have_no_real_numbers(leak):
    assert leaves(leak("real_names")) == "wrong_type"


@pytest.mark.parametrize("channel", ["too_much", "bomb", "widened"])
def test_more_than_was_declared(leak, channel):
    assert leaves(leak(channel)) == "too_large"


def test_exit_codes_errors_and_logs(leak):
    """What leaves of them: whether it ended well, and a word of a fixed set (test_endpoints)."""
    assert json.loads(leak("exit_code")["end"])["code"] == BYTE
    assert json.loads(leak("words_of_error")["outbox/error.json"])["code"] not in CODES
    assert str(BYTE) in leak("output")["log"].decode()


def test_time_leaves_in_steps_only(leak, monkeypatch):
    def told():
        began = time.monotonic()
        result = leaves(leak("duration"), began=began)
        return result.leaves_at - began

    steps = told() / TIME_STEP_S
    assert steps == pytest.approx(round(steps))  # which of them is all that a watcher sees
    monkeypatch.setattr("rehearsal.node.airlock.airlock.TIME_STEP_S", 1e-6)
    steps = told() / TIME_STEP_S
    assert steps != pytest.approx(round(steps), abs=1e-5)  # the time of the run itself


def test_the_difference_of_two_results_tells_of_nobody(leak, tmp_path):
    """Two sums that are each about many people, and between them one person's age."""
    ages = np.arange(30, 30 + PEOPLE)

    def attack(**guard):
        airlock = Airlock(AnalysisSettings(**guard), None, Ledger("release", bytes(32)))
        for people in (range(PEOPLE), range(PEOPLE - 1)):
            (tmp_path / "view/ages.txt").write_text(" ".join(map(str, ages[people])))
            yield leaves(leak("mean_age"), people=people, airlock=airlock)

    both, fewer = attack(smallest_count=1)
    assert both.reasons == fewer.reasons == ()
    assert total(both.archive)[0] - total(fewer.archive)[0] == ages[-1]
    both, fewer = attack()
    assert both.reasons == ()
    assert fewer.reasons == ("difference",)


@pytest.mark.parametrize(
    "other", [{"purpose": "DUO:0000007 MONDO:0007254"}, {"algorithm": "another"}]
)
def test_two_purposes_or_two_algorithms_tell_no_difference_either(leak, tmp_path, other):
    airlock = Airlock(AnalysisSettings(), None, Ledger("release", bytes(32)))
    (tmp_path / "view/ages.txt").write_text("40 " * PEOPLE)
    frames = leak("mean_age")
    assert leaves(frames, airlock=airlock).reasons == ()
    fewer = leaves(frames, people=range(PEOPLE - 2), airlock=airlock, **other)
    assert "difference" in fewer.reasons


def test_lies_about_counts_are_not_found_but_charged(leak):
    """Only who approves an algorithm can find them; what such a number says is bounded."""
    frames = leak("lying_counts")
    ledger = Ledger("release", bytes(32))
    result = leaves(frames, airlock=Airlock(AnalysisSettings(), None, ledger))
    assert result.reasons == () and total(result.archive)[0] == BYTE
    assert ledger.spent("controlled", "somebody") == pytest.approx(result.bits * np.log(2))
    shapes = FLAG_BITS + 3 * ARRAY_BITS + 2 * (2 * np.log2(3) + 1)
    cells = 2 * (48 + 12) + 2 * np.log2(1 + 2 * PEOPLE)
    assert result.bits == pytest.approx(cells + shapes + 32)


def test_what_is_let_through_is_bounded_and_stated(leak):
    """A total of eight numbers: 48 bits, sign and exponent each, their length, and one number."""
    result = leaves(leak("low_bits"))
    shapes = FLAG_BITS + 3 * ARRAY_BITS + 2 * np.log2(9) + 1
    assert result.bits == pytest.approx(8 * (48 + 12) + shapes + 32)
