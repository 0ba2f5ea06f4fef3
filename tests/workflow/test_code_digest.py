"""Results go stale when the code that made them changes, and only then."""

import json
import shutil
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "workflow"))
from code_digest import CodeDigests  # noqa: E402

SCRIPTS = sorted(path.name for path in (ROOT / "scripts").glob("*.py"))


@pytest.fixture
def copy(tmp_path):
    """The library and the scripts, to be changed."""
    return copy_code(tmp_path)


def copy_code(folder):
    for name in ("rehearsal", "scripts"):
        leave_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=leave_out)
    return folder


def digests(root):
    every = CodeDigests(root)
    return {name: every.of_script(root / "scripts" / name) for name in SCRIPTS}


@cache
def digests_before():
    """The digests of every copy that is not changed yet: none knows where the code is."""
    with TemporaryDirectory() as folder:
        return digests(copy_code(Path(folder)))


def stale_after(copy, change):
    before = digests_before()
    change()
    after = digests(copy)
    return {name for name in SCRIPTS if before[name] != after[name]}


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_mended_index_makes_every_index_again(copy):
    path = copy / "rehearsal/formats/csi.py"
    stale = stale_after(copy, lambda: path.write_text(path.read_text() + "\nMENDED = 1\n"))
    assert {"shard_block.py", "export_bcf.py"} <= stale
    assert not stale & {"build_demography.py", "simulate_people.py", "simulate_block.py"}


def test_words_and_layout_make_nothing_again(copy):
    path = copy / "rehearsal/export/omop.py"

    def change():
        lines = path.read_text().splitlines()
        ends = next(n for n, line in enumerate(lines) if line.rstrip().endswith('"""'))
        words = ['"""Other words', "", 'over other lines."""', "", "# and a comment"]
        path.write_text("\n".join([*words, *lines[ends + 1 :]]) + "\n")

    assert stale_after(copy, change) == set()


def test_code_of_one_export_makes_that_export_again(copy):
    path = copy / "rehearsal/export/omop.py"
    stale = stale_after(copy, lambda: path.write_text(path.read_text() + "\nCHANGED = 1\n"))
    assert stale == {"export_omop.py"}


@pytest.mark.parametrize(
    ("data", "scripts"),
    [
        ("truth/data/mondo_edges.tsv", {"run_queries.py", "draw_queries.py"}),
        ("report/page.css", {"build_report.py"}),
        ("demography/data/fst_published.tsv", {"judge_realism.py"}),
    ],
)
def test_data_of_a_package_count_as_its_code(copy, data, scripts):
    path = copy / "rehearsal" / data
    stale = stale_after(copy, lambda: path.write_text(path.read_text() + "\n"))
    assert scripts <= stale
    assert "encrypt_export_file.py" not in stale


def test_caches_that_a_run_leaves_beside_the_code_make_nothing_again(copy):
    def change():
        for name in (
            "__pycache__/carriers.walk-1.py311.nbi",
            "data/__pycache__/x",
            ".carriers.swp",
        ):
            path = copy / "rehearsal/genomes" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"cached")

    assert stale_after(copy, change) == set()


def test_a_module_that_is_started_as_a_process_counts(copy):
    path = copy / "rehearsal/node/server.py"
    stale = stale_after(copy, lambda: path.write_text(path.read_text() + "\nCHANGED = 1\n"))
    assert {"run_queries.py", "run_stories.py", "measure_load.py"} <= stale
    assert not stale & {"draw_queries.py", "shard_block.py", "export_bcf.py"}


def test_a_changed_script_counts(copy):
    path = copy / "scripts/draw_queries.py"
    stale = stale_after(copy, lambda: path.write_text(path.read_text() + "\nCHANGED = 1\n"))
    assert stale == {"draw_queries.py"}


def test_what_a_function_imports_when_it_is_called_counts(tmp_path):
    (tmp_path / "rehearsal").mkdir()
    for name, text in {
        "__init__": "",
        "late": "def f():\n    from rehearsal import used\n    return used\n",
        "used": "A = 1\n",
    }.items():
        (tmp_path / f"rehearsal/{name}.py").write_text(text)
    script = tmp_path / "script.py"
    script.write_text("import rehearsal.late\n")
    found = CodeDigests(tmp_path).closure(script)
    assert {path.stem for path in found} == {"__init__", "late", "used"}


def test_a_script_that_is_no_python_is_an_error(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("def :")
    with pytest.raises(SyntaxError):
        CodeDigests(tmp_path).of_script(script)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("A = 1", "A = 2", False),
        ("def f(x): return x + 1", "def f(x): return x - 1", False),
        ("def f(x=1): return x", "def f(x=2): return x", False),
        ("A = {1, 2, 3}", "A = {1, 2, 4}", False),
        ("A = x in {'a', 'b'}", "A = x in {'b', 'a'}", True),
        ("class A:\n    b: int", "class A:\n    b: str", False),
        ("A = 1", "# why\nA = 1", True),
        ("def f():\n    return 1", "def f():\n    'what it does'\n    return 1", True),
        ("A = (1,\n     2)", "A = (1, 2)", True),
        ("A = 1.0", "A = 1", False),
        ("A = 1.5; B = 10", "A = 1.51; B = 0", False),
        ("A = 1; B = 23", "A = 12; B = 3", False),
        ("A = f(x, y)", "A = f(\n    x,\n    y,\n)", True),
        ("if A and B: pass", "if (\n    A\n    and B\n):\n    pass", True),
        ("def f():\n    'x'\n    return 1", "def f(): return 1", True),
        (
            "if A:\n    def f(): return 1",
            "if A:\n    def f():\n        'x'\n        return 1",
            True,
        ),
        (
            "class A:\n    'what'\n    async def f(): 'why'",
            "class A:\n    async def f(): 'y'",
            True,
        ),
        ("assert A", "assert B", False),
        ("A = -0.0", "A = 0.0", False),
    ],
)
def test_two_texts_have_one_digest_when_they_do_the_same(tmp_path, one, other, same):
    found = []
    for text in (one, other):
        (tmp_path / "script.py").write_text(text)
        found.append(CodeDigests(tmp_path).of_script(tmp_path / "script.py"))
    assert (found[0] == found[1]) == same


def test_kept_digests_are_those_of_the_code_as_it_is_now(copy):
    kept, scripts = copy / "kept.json", sorted((copy / "scripts").glob("*.py"))
    CodeDigests(copy, kept).keep(scripts)
    path = copy / "rehearsal/formats/csi.py"
    path.write_text(path.read_text() + "\nMENDED = 1\n")
    again = CodeDigests(copy, kept)
    assert {script.name: again.of_script(script) for script in scripts} == digests(copy)


@pytest.mark.parametrize("text", ["", "[]", '{"python": "2.7", "modules": {}}', "cut off"])
def test_kept_digests_that_cannot_be_used_are_computed_again(tmp_path, text):
    (tmp_path / "script.py").write_text("A = 1")
    (tmp_path / "kept.json").write_text(text)
    every = CodeDigests(tmp_path, tmp_path / "kept.json")
    every.keep([tmp_path / "script.py"])
    assert json.loads((tmp_path / "kept.json").read_text())["modules"].keys() == {"script.py"}
