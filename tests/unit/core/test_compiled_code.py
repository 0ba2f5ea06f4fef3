"""Compiled code of one version is never taken for that of another."""

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rehearsal import compiled_code
from rehearsal.compiled_code import PACKAGE, cache_folder, keep_compiled_code_apart


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


def test_the_folder_is_the_first_that_can_be_written(package, monkeypatch, tmp_path):
    # a file in place of a folder cannot be written by root either
    (tmp_path / "file").touch()
    closed = tmp_path / "file/package"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder(package) == package / "__pycache__"
    assert cache_folder(closed) == tmp_path / "cache/rehearsal"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(closed))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    temporary = cache_folder(closed)
    assert temporary == tmp_path / f"rehearsal-{os.geteuid()}"
    assert cache_folder(closed) == temporary  # processes find the same one
    (tmp_path / ".snakemake").mkdir()
    assert cache_folder(closed) == tmp_path / ".snakemake/rehearsal"


def test_a_temporary_folder_that_others_can_write_is_not_taken(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    known = tmp_path / f"rehearsal-{os.geteuid()}"
    known.mkdir()
    known.chmod(0o777)
    other = cache_folder(tmp_path / "file/package")
    assert other != known
    assert other.stat().st_mode & 0o777 == 0o700


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


# --- functions without an entry for Python, and turns of processes ---

COMPILERS = ("kernel", "part", "lean", "njit")


def decorator_of(function):
    """The name of a decorator that compiles, and the names of its arguments; None without one."""
    for one in function.decorator_list:
        called = one.func if isinstance(one, ast.Call) else one
        name = getattr(called, "attr", getattr(called, "id", ""))
        if name in COMPILERS:
            return name, {word.arg for word in one.keywords} if isinstance(one, ast.Call) else set()
    return None


def uses_by_python(tree):
    """Names of functions and ``module.function`` that a module uses outside of compiled code."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            modules |= {one.asname or one.name: (node.module, one.name) for one in node.names}
    todo = list(ast.iter_child_nodes(tree))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef) and decorator_of(node):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield modules.get(node.id, ("", node.id))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield ".".join(modules.get(node.value.id, ("",))), node.attr
        todo += ast.iter_child_nodes(node)


def test_python_calls_no_function_that_has_no_entry_for_it():
    trees = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): ast.parse(
            path.read_text()
        )
        for path in PACKAGE.rglob("*.py")
    }
    closed = {
        (module, node.name)
        for module, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and (found := decorator_of(node))
        and (found[0] == "part" or (found[0] == "lean" and "entry" not in found[1]))
    }
    assert len(closed) > 100
    used = {
        (of or module, name) for module, tree in trees.items() for of, name in uses_by_python(tree)
    }
    assert used & closed == set()


KERNEL = """
from rehearsal.compiled_code import compilations_told_to, keep_compiled_code_apart
keep_compiled_code_apart()
from rehearsal.compiled_code import kernel, part

@part
def inner(x):
    return x + 1

@kernel()
def outer(x):
    return inner(x) * 2
"""
CALL = """
from rehearsal.compiled_code import compilations_told_to
import walk
with compilations_told_to(lambda name: print("compiles", name, flush=True)):
    assert walk.outer(20) == 42
try:
    walk.inner(1)
except TypeError as error:
    print(error)
"""


def begin(tmp_path):
    """A process that calls a kernel."""
    paths = {
        "NUMBA_CACHE_DIR": str(tmp_path / "kept"),
        "PYTHONPATH": f"{PACKAGE.parent}:{tmp_path}",
    }
    (tmp_path / "walk.py").write_text(KERNEL)
    command = [sys.executable, "-c", CALL]
    return subprocess.Popen(command, env=os.environ | paths, stdout=subprocess.PIPE, text=True)


def test_one_of_two_processes_compiles_and_the_other_waits_for_it(tmp_path):
    processes = [begin(tmp_path), begin(tmp_path)]
    said = [one.communicate(timeout=120)[0].splitlines() for one in processes]
    assert [one.returncode for one in processes] == [0, 0]
    assert sorted(line for lines in said for line in lines) == [
        *("compiles inner", "compiles outer"),
        *["inner: expected a call by a compiled function, found one by Python"] * 2,
    ]


def test_a_process_goes_on_without_a_turn_that_it_does_not_get(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled_code, "LONGEST_TURN_S", 0.2)
    held = compiled_code._take_turn(tmp_path / "new" / "a.lock")
    assert held is not None
    assert compiled_code._take_turn(tmp_path / "new" / "a.lock") is None
    held.close()  # as the end of its process does
    assert compiled_code._take_turn(tmp_path / "new" / "a.lock") is not None
    (tmp_path / "file").touch()
    assert compiled_code._take_turn(tmp_path / "file" / "a.lock") is None
