"""A wheel, installed where nothing of the project is, makes data and serves it.

Needs a package index, as pip does. ``make test-package`` runs these tests.
"""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLOTTING_AND_WORKFLOW = ("snakemake", "altair", "matplotlib", "vl_convert", "demesdraw")
pytestmark = [pytest.mark.package, pytest.mark.timeout(900)]


def run(*command, cwd, ok=True):
    """Run a command and return its output; it must succeed, or fail when ``ok`` is false."""
    done = subprocess.run([str(one) for one in command], cwd=cwd, capture_output=True, text=True)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built by way of a source distribution as a release is."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return next(out.glob("*.whl"))


def install(wheel, extras, folder):
    """Install the wheel with extras, in the pinned versions; return the environment's bin folder.

    pip wants hashes of all or of none, and a wheel that was just built has none.
    """
    pins = re.findall(r"^[\w.-]+==[^\s\\;]+", (ROOT / "requirements.txt").read_text(), re.M)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins))
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    programs = folder / "venv" / "bin"
    run(programs / "pip", "install", "-q", "-c", constraints, f"{wheel}{extras}", cwd=folder)
    return programs


@pytest.fixture(scope="module")
def plain(wheel, tmp_path_factory):
    return install(wheel, "", tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def dataset(plain, tmp_path_factory):
    """A dataset that the plain wheel made in an empty folder."""
    folder = tmp_path_factory.mktemp("empty")
    run(plain / "rehearsal", "dataset", "--preset", "tiny", "out", cwd=folder)
    assert [path.name for path in folder.iterdir()] == ["out"]
    return folder / "out"


def test_the_wheel_makes_data_in_an_empty_folder(dataset):
    names = {str(path.relative_to(dataset)) for path in dataset.rglob("*") if path.is_file()}
    for place in ("ES", "FI"):
        assert {f"{place}/chr22.vcf.gz", f"{place}/phenopackets.jsonl.gz"} <= names
    assert {"truth/queries.json", "catalogue.ttl", "README.txt"} <= names


def test_the_wheel_makes_what_a_checkout_makes(dataset, tmp_path):
    program = Path(sys.executable).with_name("rehearsal")
    run(program, "dataset", "--preset", "tiny", "out", cwd=tmp_path)
    for path in sorted(dataset.rglob("*.gz")):
        assert path.read_bytes() == (tmp_path / "out" / path.relative_to(dataset)).read_bytes()


@pytest.mark.parametrize("kind", ["zarr", "trees"])
def test_a_format_of_an_extra_names_the_extra_that_it_needs(plain, tmp_path, kind):
    said = run(
        plain / "rehearsal",
        "dataset",
        "--preset",
        "tiny",
        "--formats",
        kind,
        "out",
        cwd=tmp_path,
        ok=False,
    )
    assert "--formats: expected the Python package" in said
    assert "pip install 'rehearsal[simulate]'" in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_serving_without_its_extra_names_the_extra(plain, tmp_path):
    said = run(plain / "rehearsal", "node", "serve", tmp_path, cwd=tmp_path, ok=False)
    assert re.search(r"expected the Python package \w+ \(pip install 'rehearsal\[node\]'\)", said)
    assert said.count("\n") == 1


def test_a_node_is_served_without_snakemake_and_plotting(wheel, dataset, tmp_path):
    programs = install(wheel, "[node]", tmp_path)
    for name in PLOTTING_AND_WORKFLOW:
        run(programs / "python", "-c", f"import {name}", cwd=tmp_path, ok=False)
    place = dataset / "FI"
    arguments = ["--vcf", place / "chr22.vcf.gz", "--individuals", place / "people.tsv"]
    build = [programs / "rehearsal", "node", "build", *arguments]
    run(*build, "--country", "FI", "--out", "node", cwd=tmp_path)
    endpoint = tmp_path / "endpoint.json"
    serve = [programs / "rehearsal", "node", "serve", "node", "--endpoint-file", endpoint]
    with subprocess.Popen([str(one) for one in serve], cwd=tmp_path) as server:
        try:
            while not endpoint.exists():
                assert server.poll() is None
            url = json.loads(endpoint.read_text())["url"]
            with urllib.request.urlopen(f"{url}/info", timeout=30) as answer:
                assert json.load(answer)["response"]["id"]
        finally:
            server.terminate()
