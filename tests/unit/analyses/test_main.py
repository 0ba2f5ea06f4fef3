"""One process per node plays all rounds by files, as in a sandbox."""

import json
import subprocess
import sys

import numpy as np
import pytest

from rehearsal.analyses.exchange import read_arrays, write_arrays
from rehearsal.analyses.protocol import AnalysisError
from rehearsal.analyses.rounds import NetworkRun

from .cohort import play, simulate

STEPS = {
    "steps": [
        {"algorithm": "components", "parameters": {"number": 2}},
        {"algorithm": "linear", "parameters": {"outcome": "height", "covariates": ["age"]}},
    ],
    "smallest_count": 5,
}


def start(folder, view, parameters, name="sequence", seconds="60"):
    """Start the process of a node."""
    for part in ("inbox", "outbox"):
        (folder / part).mkdir(parents=True)
    (folder / "parameters.json").write_text(json.dumps(parameters))
    options = ["--parameters", folder / "parameters.json", "--deadline", seconds]
    options += ["--inbox", folder / "inbox", "--outbox", folder / "outbox"]
    command = [sys.executable, "-m", "rehearsal.analyses", name, "--view", view, *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def wait(path, process):
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
    return path


def test_processes_that_exchange_files_find_what_one_process_does(tmp_path):
    cohort = simulate(tmp_path, n_variants=60)
    views = cohort.views()
    expected = play(views, STEPS).results
    folders = [tmp_path / f"run{i}" for i in range(len(views))]
    nodes = [start(f, view.folder, STEPS) for f, view in zip(folders, views, strict=True)]
    network, number = NetworkRun(STEPS), 0
    while not network.done:
        sums = []
        for folder, process in zip(folders, nodes, strict=True):
            header = wait(folder / f"outbox/round-{number}.json", process)
            arrays = json.loads(header.read_text())["arrays"]
            sums.append(read_arrays(folder / f"outbox/round-{number}.npz"))
            assert {n: a["shape"] for n, a in arrays.items()} == {
                n: list(a.shape) for n, a in sums[-1].items()
            }
        network.advance(sums)
        for folder in folders:
            write_arrays(folder / f"inbox/round-{number}.npz", network.message(number))
        number += 1
    assert [process.wait(30) for process in nodes] == [0] * len(nodes)
    for process in nodes:
        process.stderr.close()
    for step, results in expected.items():
        for name, values in results.items():
            np.testing.assert_array_equal(network.results[step][name], values)


@pytest.mark.parametrize(
    ("name", "parameters", "seconds", "code", "line"),
    [
        ("linear", {"outcome": "bmi"}, "0", "deadline", "expected the state of the next round"),
        ("sequence", {"steps": []}, "9", "bad_parameters", "expected at least one step, found"),
        ("sequence", {"steps": [{"algorithm": "x"}]}, "9", "bad_parameters", "expected one of"),
    ],
)
def test_what_ends_a_node_is_one_line_and_a_code(tmp_path, name, parameters, seconds, code, line):
    view = simulate(tmp_path, sizes=(20,), n_variants=8).views()[0]
    process = start(tmp_path / "run", view.folder, parameters, name, seconds)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert error.count("\n") == 1
    assert line in error
    assert json.loads((tmp_path / "run/outbox/error.json").read_text()) == {"code": code}


def test_a_state_that_is_no_array_file_is_refused(tmp_path):
    (tmp_path / "round-0.npz").write_text("no arrays")
    with pytest.raises(AnalysisError, match="expected arrays of finite numbers, found others"):
        read_arrays(tmp_path / "round-0.npz")


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    np.savez(tmp_path / "round-0.npz", total=np.array([1.0, np.inf]))
    with pytest.raises(AnalysisError, match="expected arrays of finite numbers, found others"):
        read_arrays(tmp_path / "round-0.npz")


def test_python_objects_in_an_array_file_are_refused(tmp_path):
    np.savez(tmp_path / "round-0.npz", step=np.array([print], dtype=object))
    with pytest.raises(AnalysisError, match="expected arrays of finite numbers, found others"):
        read_arrays(tmp_path / "round-0.npz")


def test_a_node_starts_without_packages_that_only_the_network_needs():
    """They would cost each sandbox more CPU than the sums."""
    heavy = ["scipy", "numba", "pandas"]
    code = (
        f"import rehearsal.analyses.__main__, sys; print([m for m in {heavy} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
