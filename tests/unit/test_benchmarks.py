"""Every benchmark can be started and finds its imports."""

import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "measuring")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_says_what_it_measures(script, monkeypatch, capsys):
    before = set(sys.modules)
    monkeypatch.syspath_prepend(FOLDER)  # as for a script that is started
    monkeypatch.setattr(sys, "argv", [f"{script}.py", "--help"])
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(FOLDER / f"{script}.py"), run_name="__main__")
    finally:
        for name in set(sys.modules) - before:  # benchmarks import each other by short names
            if (FOLDER / f"{name}.py").exists():
                del sys.modules[name]
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage:")


def test_jobs_that_take_more_than_they_ask_for_are_an_error(tmp_path, monkeypatch, capsys):
    (tmp_path / "overlay.yaml").write_text(f"results: {tmp_path}/results\nbench: null\n")
    for rule, took in {"create_issuer": "20\t100", "draw_consent": "700\t100"}.items():
        file = tmp_path / f"results/benchmarks/{rule}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"s\tmax_rss\n{took}\n")
    monkeypatch.chdir(FOLDER.parent)
    monkeypatch.setattr(sys, "argv", ["resources.py", "--configfile", f"{tmp_path}/overlay.yaml"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(FOLDER / "resources.py"), run_name="__main__")
    head, _, *faults = str(ended.value.code).splitlines()
    assert head == "Faults:"
    assert [fault.split()[0] for fault in faults] == ["draw_consent"]
    assert "took more than it asked for" in faults[0]
    assert "create_issuer" in capsys.readouterr().out
