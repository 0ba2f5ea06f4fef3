"""Small runs without a bench: what few people, few countries or another's node leave of a run."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from .processes import ROOT, SNAKEMAKE, run_in

PAGES = ("index.html", "summary.json", "junit.xml")
GENOME = ["chr17:43000000-43200000"]  # with BRCA1
# what must be in no output: Python's own words about an error
CRASHES = ("Traceback (most recent call last)", "RuntimeWarning", "MissingOutputException")


@dataclass(frozen=True)
class Run:
    """A run that ended: its exit status, what it said, and its report."""

    folder: Path
    status: int
    said: str

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "results/report/summary.json").read_text())

    @property
    def page(self) -> str:
        return (self.folder / "results/report/index.html").read_text()

    @property
    def failures(self) -> list[str]:
        """Messages of the failed cases of junit.xml."""
        tree = ElementTree.parse(self.folder / "results/report/junit.xml")
        return [one.get("message", "") for one in tree.iter("failure")]

    @property
    def title(self) -> str:
        """The page's title, which says whether all is well."""
        return re.search("<title>(.*?)</title>", self.page, re.DOTALL)[1].strip()


def settings(**changes: Any) -> dict[str, Any]:
    """A configuration of few people and queries; ``changes`` replace keys."""
    return {
        "regions": GENOME,
        "stories": None,
        "bench": None,
        "queries": "queries.yaml",
        "cohort": {"people_per_country": 12},
        **changes,
    }


def run(folder: Path, config: dict[str, Any], *options: str, names=None) -> Run:
    """Run the workflow in a folder, to its end, whatever fails on the way.

    Args:
        folder: The folder; it gets a ``config``.
        config: The overlay.
        options: Of Snakemake.
        names: Names of the only templates of the suite; None: all, one query of each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config").exists():
        (folder / "config").symlink_to(ROOT / "config")
    templates = yaml.safe_load((ROOT / "config/queries.yaml").read_text())["templates"]
    kept = [one for one in templates if names is None or one["name"] in names]
    few = [one | ({"number": 1} if "number" in one else {}) for one in kept]
    (folder / "queries.yaml").write_text(yaml.safe_dump({"templates": few}, sort_keys=False))
    (folder / "overlay.yaml").write_text(yaml.safe_dump(config))
    command = [*SNAKEMAKE, "--cores", "2", "--rerun-triggers", "mtime", "params"]
    command += ["--configfile", "overlay.yaml", *options]
    ended = run_in(folder, *command, timeout_s=560)
    return Run(folder, ended.returncode, ended.stdout + ended.stderr)


def copy_of(run_before: Run, folder: Path) -> Path:
    """Copy a run that ended, so that the next one goes on from what it made."""
    shutil.copytree(run_before.folder, folder, symlinks=True)
    return folder


def check_reported(ended: Run) -> None:
    """A run ended with its pages, and no part of it broke."""
    crashed = [word for word in CRASHES if word in ended.said]
    assert not crashed, ended.said[-6000:]
    for log in (ended.folder / "results/logs").rglob("*.log"):
        found = [word for word in CRASHES if word in log.read_text(errors="replace")]
        assert not found, f"{log.name}: {log.read_text(errors='replace')[-3000:]}"
    missing = [n for n in PAGES if not (ended.folder / "results/report" / n).exists()]
    assert not missing, ended.said[-3000:]


def check_passed(ended: Run) -> None:
    """A run ended well, and all its reports say so."""
    check_reported(ended)
    assert ended.status == 0, ended.said[-3000:]
    assert ended.failures == []
    assert ended.title == "Rehearsal: all checks passed"
    assert "The page: results/report/index.html" in ended.said
    assert (ended.folder / "results/report/verdict.txt").exists()


def check_failed(ended: Run, cause: str) -> None:
    """A run ended with an error, and terminal, page and junit.xml name the cause first."""
    check_reported(ended)
    assert ended.status != 0
    assert re.search(rf"^Failed: check_verdict\n  why: .*{cause}", ended.said, re.MULTILINE)
    assert "The page: results/report/index.html" in ended.said
    assert "failed" in ended.title
    assert not (ended.folder / "results/report/verdict.txt").exists()
    assert any(re.search(cause, text) for text in ended.failures), ended.failures[:5]
    assert re.search(cause, ended.page)
