"""Damaged copies of the shipped inputs are accepted, or refused with one line in the one form."""

import copy
import datetime
import random
import re
from pathlib import Path

import pytest
import yaml

from rehearsal.config.preflight import read_checked_inputs
from rehearsal.config.schema import check_config
from rehearsal.config.tables import read_countries, read_genes, read_planted
from rehearsal.errors import InputError, shown
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.story_reader import read_stories

ROOT = Path(__file__).resolve().parents[3]
CONFIG, SCHEMAS = ROOT / "config", ROOT / "workflow/schemas"
FORM = re.compile(r"[^\n]+: expected [^\n]+, found [^\n]+")
PYTHON = re.compile(r"NoneType|\bNone\b|\bTrue\b|<class| object |\w+Error|datetime\.|b'ab'|odict")
VALUES = [
    *(None, True, "", "x", "é\n", "1e-8", 0, -1, 1000.0, 10**400, float("nan"), float("inf")),
    *([], {}, [None, True], [[[]]], {"a": {"b": {}}}, {None: 1}, {True: 1}, b"ab", {1, 2}),
    *(datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1, 3), {datetime.date(2020, 1, 1): 1}),
]
KEYS = [None, True, 0, 1.5, float("nan"), "", "a.b", datetime.date(2020, 1, 1), 10**400]


class Plain(yaml.SafeDumper):
    """The safe dumper, without aliases."""

    def ignore_aliases(self, data):
        return True


def places(value, path=()):
    """Yield the path of every value inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in items:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from places(part, (*path, key))


def damaged(content, rng):
    """Return a copy with one value deleted, renamed, replaced, wrapped in a list, or added."""
    content = copy.deepcopy(content)
    *path, key = rng.choice(list(places(content)))
    parent = content
    for step in path:
        parent = parent[step]
    way = rng.choice(["delete", "rename", "replace", "replace", "replace", "wrap", "add"])
    if way == "delete":
        del parent[key]
    elif way == "wrap":
        parent[key] = [parent[key]]
    elif way == "replace" or isinstance(parent, list):
        parent[key] = rng.choice(VALUES)
    else:
        value = parent.pop(key) if way == "rename" else rng.choice(VALUES)
        parent[rng.choice(KEYS)] = value
    return content


def check_refusal(content, read, *arguments):
    """Check that reading accepts the content or refuses it in the form."""
    try:
        read(*arguments)
    except InputError as error:
        for line in str(error).split("\n"):
            assert FORM.fullmatch(line) and not PYTHON.search(line), (line, content)


@pytest.fixture(scope="module")
def references():
    codes = [
        c.code for c in read_countries(CONFIG / "countries.tsv", SCHEMAS / "countries.schema.yaml")
    ]
    planted = read_planted(CONFIG / "variants.tsv", SCHEMAS / "variants.schema.yaml", codes)
    genes = read_genes(CONFIG / "genes.tsv", SCHEMAS / "genes.schema.yaml")
    return RunReferences(codes, planted, genes, read_traits(CONFIG / "traits.yaml"))


@pytest.mark.parametrize("seed", range(2))
def test_damaged_traits(tmp_path, seed):
    rng, path = random.Random(seed), tmp_path / "traits.yaml"
    whole = yaml.safe_load((CONFIG / "traits.yaml").read_text())
    for part in ("exposures", "outcomes", "treatments", "missing", "sequencing"):
        kept = {"measurements": {}, "diseases": {}, part: whole[part]}
        for _ in range(8):
            content = damaged(kept, rng)
            path.write_text(yaml.dump(content, Dumper=Plain))
            check_refusal(content, read_traits, path)
    for part in ("measurements", "diseases"):
        for name in whole[part]:
            content = {"measurements": {}, "diseases": {}, part: {name: whole[part][name]}}
            content = damaged(content, rng)
            path.write_text(yaml.dump(content, Dumper=Plain))
            check_refusal(content, read_traits, path)


@pytest.mark.parametrize("name", ["common", "infectious"])
def test_damaged_stories(tmp_path, references, name):
    rng, path = random.Random(name), tmp_path / f"{name}.yaml"
    whole = yaml.safe_load((CONFIG / "stories" / path.name).read_text())
    for _ in range(15):
        content = damaged(whole, rng)
        path.write_text(yaml.dump(content, Dumper=Plain))
        check_refusal(content, read_stories, tmp_path, references)


def test_damaged_configuration():
    rng, path = random.Random(1), CONFIG / "config.yaml"
    whole = yaml.safe_load(path.read_text())
    whole |= yaml.safe_load((CONFIG / "exports.example.yaml").read_text())
    for _ in range(20):
        content = damaged(whole, rng)
        check_refusal(content, check_config, content, [], SCHEMAS / "config.schema.yaml")


@pytest.mark.parametrize("part", range(2))
def test_a_configuration_that_lacks_a_key_is_refused_by_the_whole_check(monkeypatch, part):
    monkeypatch.chdir(ROOT)
    whole = yaml.safe_load((CONFIG / "config.yaml").read_text())
    for key in list(whole)[part::2]:
        content = {other: value for other, value in whole.items() if other != key}
        check_refusal(content, read_checked_inputs, content, [CONFIG / "config.yaml"], SCHEMAS)


def test_a_configuration_that_holds_itself_is_refused():
    content = yaml.safe_load((CONFIG / "config.yaml").read_text())
    content["cohort"]["people"] = content
    with pytest.raises(InputError, match=r"expected at most 8 levels of lists and mappings, found"):
        check_config(content, [], SCHEMAS / "config.schema.yaml")


@pytest.mark.parametrize("text", ["!!bool x", "!!timestamp x", "!!omap x", "[" * 400, "{[1]: 2}"])
def test_yaml_that_cannot_be_read(tmp_path, references, text):
    for name in ("traits.yaml", "story.yaml"):
        (tmp_path / name).write_text(f"a: {text}\n")
    for read in (
        lambda: read_traits(tmp_path / "traits.yaml"),
        lambda: read_stories(tmp_path, references),
    ):
        with pytest.raises(InputError) as caught:
            read()
        assert FORM.fullmatch(str(caught.value)) and not PYTHON.search(str(caught.value))


def test_values_are_shown_as_yaml_writes_them():
    assert shown([None, True, "a"]) == "[null, true, 'a']"
    assert shown({None: datetime.date(2020, 1, 1)}) == "{null: 2020-01-01}"
    assert shown(b"ab") == "2 bytes of binary data"
    assert shown({1}) == "{1}"
    assert shown([[[[[1]]]]]) == "[[[[[...]]]]]"
    assert shown(1 << 40_000) == "a number of thousands of digits"
