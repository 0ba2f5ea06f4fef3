"""``rehearsal check`` on Beacons of others, and a dataset that is stopped."""

import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.system

SLOW_MACHINE_S = 120.0


def rehearsal(*arguments):
    command = [sys.executable, "-m", "rehearsal", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SLOW_MACHINE_S)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("dataset") / "OUT"
    options = ["--country", "FI=20", "--country", "ES=10", "--region", "chr22:20000000-20100000"]
    options += ["--plant", "BRCA1:c.5266dup=2", "--formats", "beacon", "--seed", "3", "--pooled"]
    made = rehearsal("dataset", *options, out)
    assert made.returncode == 0, made.stderr
    assert "simulate chr22:20000000-20100000 (2 of 2): " in made.stderr
    return out


@pytest.mark.parametrize(
    ("manner", "status", "words"),
    [
        ("honest", 0, [" on presence", " on count", " on frequencies", " on people"]),
        ("boolean", 0, ["incomplete of", "on presence"]),
        ("shifted", 1, ["exists False instead of True", ": It says no where there is a match. ["]),
        ("forgetful", 1, ["alleleCount 1 instead of 2", ": Its numbers of alleles are wrong"]),
    ],
)
def test_a_beacon_that_is_not_ours_is_judged_on_what_it_gives(
    dataset, static_beacon, manner, status, words
):
    with static_beacon(dataset / "pooled/beacon", manner) as url:
        checked = rehearsal("check", url, "--truth", dataset / "truth")
    assert checked.returncode == status, checked.stdout + checked.stderr
    for word in words:
        assert word in checked.stdout
    if manner == "boolean":
        assert "on count" not in checked.stdout


def test_a_dataset_that_is_told_to_stop_leaves_nothing(tmp_path):
    command = [sys.executable, "-m", "rehearsal", "dataset", "--preset", "tiny"]
    process = subprocess.Popen([*command, str(tmp_path / "OUT")], stderr=subprocess.DEVNULL)
    until = time.monotonic() + SLOW_MACHINE_S
    while not any(tmp_path.iterdir()):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.terminate()
    assert process.wait(timeout=SLOW_MACHINE_S) == 143
    assert not any(tmp_path.iterdir())
