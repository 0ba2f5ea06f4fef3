"""The pinned versions also install on the Pythons that only users have: 3.12 and 3.13."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_WHEEL = "connection-pool"  # pure Python, published as source only; Snakemake needs it
pytestmark = [pytest.mark.package, pytest.mark.timeout(600)]


def pins(text):
    return set(re.findall(r"^([\w.-]+==[^\s\\;]+)", text, re.M))


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_pinned_wheels_resolve(version):
    locked = (ROOT / "requirements.txt").read_text()
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-cache"]
    command += ["--python-version", version, "--all-extras", "--constraint", "requirements.txt"]
    command += ["--only-binary", ":all:", "--no-binary", WITHOUT_WHEEL, "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(pins(done.stdout)) > 100
    assert pins(done.stdout) <= pins(locked)
