"""Digests of the code that a script runs: a rule's results go stale when one of them changes.

A script's digest covers the script, every module of the library that it imports at whatever
distance, and the package data beside those modules. It is taken of compiled code without
docstrings, so words and layout do not count. A string that spells the name of a module counts as an
import: processes are started as ``python -m rehearsal.node.server``.
"""

from __future__ import annotations

import ast
import dis
import gc
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType

PACKAGE = "rehearsal"
MODULE_NAME = re.compile(rf"{PACKAGE}(\.\w+)*")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
IMPORT_NAME, LOAD_CONST = dis.opmap["IMPORT_NAME"], dis.opmap["LOAD_CONST"]


class CodeDigests:
    """Digests of scripts that use the library below ``root``; each file is read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._code = cache(self._compiled)
        self._imported = cache(self._imported_files)
        self._file = cache(self._file_of)
        self._module = cache(self._module_digest)
        self._data = cache(self._data_digest)

    def of_script(self, script: Path) -> str:
        """SHA-256 over a script and all that it imports, as 64 hex digits.

        Raises SyntaxError when one of the files is no Python, OSError when the script is missing.
        """
        modules = self.closure(script)
        digest = hashlib.sha256(self._module(script))
        for path in sorted(modules):
            digest.update(self._module(path))
        for folder in sorted({path.parent for path in modules}):
            digest.update(self._data(folder))
        return digest.hexdigest()

    def closure(self, script: Path) -> set[Path]:
        """The files of the library's modules that a script imports, at whatever distance."""
        found: set[Path] = set()
        waiting = [script]
        while waiting:
            for path in self._imported(waiting.pop()):
                if path not in found:
                    found.add(path)
                    waiting.append(path)
        return found

    def _imported_files(self, path: Path) -> set[Path]:
        names = set(imported_names(self._code(path)))
        for name in list(names):  # packages run their __init__ too
            while name := name.rpartition(".")[0]:
                names.add(name)
        files = (self._file(name) for name in names)
        return {file for file in files if file is not None}

    def _file_of(self, name: str) -> Path | None:
        """The file of a module; None for a name that is none, such as a function's."""
        path = self._root / name.replace(".", "/")
        files = (path.with_suffix(".py"), path / "__init__.py")
        return next((file for file in files if file.is_file()), None)

    def _compiled(self, path: Path) -> CodeType:
        with no_garbage_collection():  # syntax trees are large and hold no circles: 3 times faster
            tree = ast.parse(path.read_bytes(), path.name)
            remove_words_and_layout(tree)
            return compile(tree, path.name, "exec", dont_inherit=True)

    def _module_digest(self, path: Path) -> bytes:
        digest = hashlib.sha256(str(path.relative_to(self._root)).encode())
        for part in code_parts(self._code(path)):
            digest.update(len(part).to_bytes(8, "big"))  # or 1.5 and 10 would be 1.51 and 0
            digest.update(part)
        return digest.digest()

    def _data_digest(self, folder: Path) -> bytes:
        """Of the files beside a package's modules, those in folders that are no packages too."""
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).parents
            is_data = path.is_file() and path.suffix != ".py" and not is_left_over(path)
            if is_data and not any((folder / one / "__init__.py").is_file() for one in inside[:-1]):
                digest.update(f"{path.relative_to(self._root)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.digest()


def is_left_over(path: Path) -> bool:
    """Whether a file came by itself: caches of Python and numba, an editor's hidden copies."""
    return "__pycache__" in path.parts or path.name.startswith(".")


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """The search for circles is off within the block."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def remove_words_and_layout(tree: ast.Module) -> None:
    """Take docstrings out of a syntax tree, and let all of it begin on one line.

    The compiler keeps lines apart by instructions that do nothing.
    """
    waiting: list[object] = [tree]
    for node in waiting:  # grows on the way; ast.walk takes twice the time
        if not isinstance(node, ast.AST):
            continue
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[:1] = [] if len(node.body) > 1 else [ast.Pass(lineno=1, col_offset=0)]
        for value in node.__dict__.values():
            if isinstance(value, ast.AST):
                waiting.append(value)
            elif isinstance(value, list):
                waiting.extend(value)
        if hasattr(node, "lineno"):
            node.lineno = 1


def imported_names(code: CodeType) -> Iterator[str]:
    """Dotted names in the library that compiled code imports, or spells in a string.

    ``from rehearsal.genomes import blocks`` gives ``rehearsal.genomes`` and
    ``rehearsal.genomes.blocks``; a name may be a function's.
    """
    for module, members in import_statements(code):
        if MODULE_NAME.fullmatch(module):
            yield module
            yield from (f"{module}.{member}" for member in members)
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from imported_names(value)
        else:
            yield from filter(MODULE_NAME.fullmatch, strings(value))


def import_statements(code: CodeType) -> Iterator[tuple[str, list[str]]]:
    """The module and the members of each import in compiled code, not in functions inside it."""
    if IMPORT_NAME not in code.co_code[::2]:
        return
    members: object = None  # loaded just before the import
    for opcode, argument in instructions(code.co_code):
        if opcode == LOAD_CONST:
            members = code.co_consts[argument]
        elif opcode == IMPORT_NAME:
            yield code.co_names[argument], list(strings(members))


def instructions(code: bytes) -> Iterator[tuple[int, int]]:
    """Opcodes and their arguments: two bytes each, longer arguments in prefixes before them."""
    extended = 0
    for opcode, argument in zip(code[::2], code[1::2], strict=True):
        argument |= extended
        extended = argument << 8 if opcode == dis.EXTENDED_ARG else 0
        yield opcode, argument


def strings(value: object) -> Iterator[str]:
    """The strings of a constant: itself, or the members of a tuple or set."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | frozenset):
        for member in value:
            yield from strings(member)


def code_parts(code: CodeType) -> Iterator[bytes]:
    """What compiled code does, as bytes: without names of files and numbers of lines."""
    yield code.co_code
    yield repr(
        (
            code.co_name,
            code.co_names,
            code.co_varnames,
            code.co_freevars,
            code.co_cellvars,
            code.co_argcount,
            code.co_posonlyargcount,
            code.co_kwonlyargcount,
            code.co_flags,
            code.co_exceptiontable,
        )
    ).encode()
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from code_parts(value)
        elif isinstance(value, frozenset):  # in no order of its own
            yield repr(sorted(map(repr, value))).encode()
        else:
            yield repr(value).encode()
