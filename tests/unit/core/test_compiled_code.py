"""Compiled code of one version is never taken for that of another."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.compiled_code import keep_compiled_code_apart


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "walk_kernel.py").write_text("one = 1\n")
    (folder / "other.py").write_text("")
    return folder


@pytest.fixture
def folder_of(monkeypatch):
    def chosen(package, kept=None):
        if kept is None:
            monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
        else:
            monkeypatch.setenv("NUMBA_CACHE_DIR", str(kept))
        keep_compiled_code_apart(package)
        return Path(os.environ["NUMBA_CACHE_DIR"])

    return chosen


def test_changed_compiled_modules_have_another_folder_and_other_modules_do_not_matter(
    package, folder_of
):
    before = folder_of(package)
    assert before.parent == package / "__pycache__"
    (package / "other.py").write_text("changed = 1\n")
    assert folder_of(package) == before
    (package / "walk_kernel.py").write_text("two = 22\n")
    assert folder_of(package) != before


def test_a_users_folder_is_kept_and_processes_inherit_the_same_one(package, folder_of, tmp_path):
    chosen = folder_of(package, tmp_path / "mine")
    assert chosen.parent == tmp_path / "mine"
    assert folder_of(package, chosen) == chosen


MODULES = {
    "before": ("typed_kernel", "from package.typed_kernel import Pair"),
    "after": ("moved_kernel", "from package.moved_kernel import Pair"),
}
PAIR = "from typing import NamedTuple\n\nclass Pair(NamedTuple):\n    one: int\n"
USER = """
import numba
{}

@numba.njit(cache=True)
def first(pair: Pair) -> int:
    return pair.one

print(first(Pair(7)))
"""


def test_a_type_that_moved_to_another_module_is_compiled_again(tmp_path):
    """numba alone would fail to read what it kept: it names the type by its former module."""
    package, here = tmp_path / "package", os.environ | {"PYTHONPATH": str(tmp_path)}
    here.pop("NUMBA_CACHE_DIR", None)
    package.mkdir()
    source = Path(sys.modules[keep_compiled_code_apart.__module__].__file__ or "").read_text()
    (package / "compiled_code.py").write_text(source)
    (package / "__init__.py").write_text(
        "from package.compiled_code import keep_compiled_code_apart\nkeep_compiled_code_apart()\n"
    )
    for module, line in MODULES.values():
        for old in package.glob("*_kernel.py"):
            old.write_text("")
        (package / f"{module}.py").write_text(PAIR)
        (package / "use_kernel.py").write_text(USER.format(line))
        command = [sys.executable, "-c", "import package.use_kernel"]
        done = subprocess.run(command, env=here, capture_output=True, text=True)
        assert done.stdout == "7\n", done.stderr
