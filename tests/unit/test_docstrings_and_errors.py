"""Docstrings name every parameter, and errors are made in the one form."""

import ast
import re
from pathlib import Path

import griffe
import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "rehearsal").rglob("*.py"))
BUILT_IN = {"ValueError", "TypeError", "KeyError", "LookupError", "RuntimeError"}


def public_functions(module):
    """Public functions and methods of public classes, with ``__init__`` of those."""
    for member in module.members.values():
        if member.is_alias or (member.name.startswith("_") and member.name != "__init__"):
            continue
        if member.name == "__init__" and "dataclass" in module.labels:
            continue  # its parameters are the fields, which comments explain
        if member.is_class:
            yield from public_functions(member)
        elif member.is_function and not member.overloads:
            yield member


def documented_parameters(documented):
    """The names in a docstring's ``Args:``, as griffe parses it."""
    if documented.docstring is None:
        return []
    sections = documented.docstring.parse("google", warnings=False)
    parameters = [one for one in sections if one.kind is griffe.DocstringSectionKind.parameters]
    return [parameter.name for section in parameters for parameter in section.value]


@pytest.fixture(scope="module")
def library():
    return griffe.load("rehearsal", search_paths=[ROOT], allow_inspection=False)


def all_modules(module):
    yield module
    for member in module.members.values():
        if not member.is_alias and member.is_module:
            yield from all_modules(member)


def test_every_parameter_of_a_public_function_is_documented(library):
    wrong, seen = {}, 0
    for module in all_modules(library):
        for function in public_functions(module):
            names = [one.name for one in function.parameters if one.name not in ("self", "cls")]
            given = documented_parameters(function)
            if function.name == "__init__":
                given += documented_parameters(function.parent)
            seen += len(names)
            if difference := set(names) ^ {one.lstrip("*") for one in given}:
                wrong[function.path] = sorted(difference)
    assert wrong == {}
    assert seen > 2000


def raised(path):
    """Every exception that a module makes and raises: its name, its arguments, where."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            name = ast.unparse(node.exc.func)
            yield name, node.exc, f"{path.relative_to(ROOT)}:{node.lineno}"


def is_in_the_form(name, call):
    """Whether an exception's text is made by ``rehearsal.errors``."""
    if name == "Problem":  # a refusal that is about no value, so it has a status of its own
        return len(call.args) > 1 or any(one.arg == "status" for one in call.keywords)
    if name in BUILT_IN and call.args:
        return isinstance(call.args[0], ast.Call) and ast.unparse(call.args[0].func) == "mismatch"
    return True


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_errors_are_made_in_the_one_form(path):
    for name, call, where in raised(path):
        assert is_in_the_form(name, call), f"{where}: {ast.unparse(call)}"


def test_an_expectation_does_not_begin_with_the_word_that_the_form_gives():
    for path in MODULES:
        for name, call, where in raised(path):
            texts = [ast.unparse(one) for one in call.args]
            if name.endswith("InputError") or name.endswith("mismatch"):
                assert not any(re.match(r"f?['\"](expected|not) ", text) for text in texts), where
