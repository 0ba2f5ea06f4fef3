"""Jobs start fast: a script loads no large library that its job does not use."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
PROGRAM = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='script'); print(*sys.modules)"


@pytest.mark.parametrize(
    ("script", "unused"),
    [
        ("build_variant_store", {"numba", "scipy", "tskit"}),  # one job per country
        ("measure_load", {"scipy"}),
        ("measure_growth", {"scipy"}),
        ("compare_collection_policies", {"scipy"}),
        ("compute_story_truth", {"scipy.stats"}),
    ],
)
def test_a_script_loads_no_large_library_that_its_job_does_not_use(script, unused):
    command = [sys.executable, "-c", PROGRAM, SCRIPTS / f"{script}.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not unused & set(done.stdout.split())
