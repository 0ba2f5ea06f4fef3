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
