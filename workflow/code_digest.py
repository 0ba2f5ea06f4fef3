"""Digests of the code that a script runs: when a digest changes, the rule runs again.

A script's digest covers the script, every module of the library that it imports directly or
indirectly, and the package data beside those modules. It is computed from compiled code without
docstrings, so comments, docstrings and layout do not change it. A string with the name of a module
counts as an import, because processes are started as ``python -m rehearsal.node.server``.
"""

from __future__ import annotations

import ast
import dis
import gc
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from rehearsal.files import atomic_path

PACKAGE = "rehearsal"
MODULE_NAME = re.compile(rf"{PACKAGE}(\.\w+)*")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
IMPORT_NAME, LOAD_CONST = dis.opmap["IMPORT_NAME"], dis.opmap["LOAD_CONST"]


class ModuleFacts(NamedTuple):
    """What a module's code says: its digest in hexadecimal, and the names that it imports."""

    digest: str
    imports: list[str]


class CodeDigests:
    """Digests of scripts that use the library; each file is read once.

    Args:
        root: The folder that contains the library.
        kept: A file that keeps what was computed of each module for the next process, until the
            module's size or time changes. None: nothing is kept.
    """

    def __init__(self, root: Path, kept: Path | None = None) -> None:
        self._root = root
        self._kept = kept
        self._known = read_known(kept)
        self._script = cache(self._script_digest)
        self._facts = cache(self._module_facts)
        self._imported = cache(self._imported_files)
        self._file = cache(self._file_of)
        self._data = cache(self._data_digest)

    def of_script(self, script: Path) -> str:
        """Compute the SHA-256 of a script and all that it imports.

        Args:
            script: The script.

        Returns:
            64 hexadecimal digits.

        Raises:
            SyntaxError: A file is not valid Python.
            OSError: The script cannot be read.
        """
        return self._script(script)

    def _script_digest(self, script: Path) -> str:
        modules = self.closure(script)
        digest = hashlib.sha256()
        for path in (script, *sorted(modules)):
            digest.update(bytes.fromhex(self._facts(path).digest))
        for folder in sorted({path.parent for path in modules}):
            digest.update(self._data(folder))
        return digest.hexdigest()

    def keep(self, scripts: Iterable[Path]) -> None:
        """Keep what scripts and their modules give, for other processes.

        A folder that cannot be written is no error: others then read the code again.

        Args:
            scripts: The scripts.

        Raises:
            SyntaxError: A file is not valid Python.
            OSError: A script cannot be read.
        """
        before = dict(self._known)
        for script in scripts:
            self.of_script(script)
        if self._kept is not None and self._known != before:
            with suppress(OSError), atomic_path(self._kept) as aside:
                aside.write_text(json.dumps({"python": sys.version, "modules": self._known}))

    def closure(self, script: Path) -> set[Path]:
        """Find the modules of the library that a script imports, directly or indirectly.

        Args:
            script: The script.

        Returns:
            The files of the modules.
        """
        found: set[Path] = set()
        waiting = [script]
        while waiting:
            for path in self._imported(waiting.pop()):
                if path not in found:
                    found.add(path)
                    waiting.append(path)
        return found

    def _imported_files(self, path: Path) -> set[Path]:
        names = set(self._facts(path).imports)
        for name in list(names):  # importing a module also runs the __init__ of its packages
            while name := name.rpartition(".")[0]:
                names.add(name)
        files = (self._file(name) for name in names)
        return {file for file in files if file is not None}

    def _file_of(self, name: str) -> Path | None:
        """The file of a module; None for another name, such as a function's."""
        path = self._root / name.replace(".", "/")
        files = (path.with_suffix(".py"), path / "__init__.py")
        return next((file for file in files if file.is_file()), None)

    def _module_facts(self, path: Path) -> ModuleFacts:
        name, now = str(path.relative_to(self._root)), path.stat()
        state = [now.st_size, now.st_mtime_ns, now.st_ctime_ns]  # a copy can bring an old mtime
        known = self._known.get(name)
        if known is None or known[0] != state:
            code = compiled(path)
            known = [state, module_digest(name, code), sorted(set(imported_names(code)))]
            self._known[name] = known
        return ModuleFacts(*known[1:])

    def _data_digest(self, folder: Path) -> bytes:
        """The digest of the data files beside a package's modules, also in plain folders."""
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).parents
            is_data = path.is_file() and path.suffix != ".py" and not is_left_over(path)
            if is_data and not any((folder / one / "__init__.py").is_file() for one in inside[:-1]):
                digest.update(f"{path.relative_to(self._root)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.digest()


def read_known(kept: Path | None) -> dict[str, list[Any]]:
    """Read what ``CodeDigests.keep`` kept.

    Args:
        kept: The file.

    Returns:
        By module: its size and times, its digest and its imports. Nothing if the file is absent,
        cut off, or of another version of Python, whose compiled code differs.
    """
    if kept is None:
        return {}
    try:
        known = json.loads(kept.read_text())
        return dict(known["modules"]) if known["python"] == sys.version else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def compiled(path: Path) -> CodeType:
    """Compile a module without its docstrings and layout.

    Args:
        path: The module.

    Raises:
        SyntaxError: It is not valid Python.
    """
    with no_garbage_collection():  # syntax trees are large and have no cycles: 3 times faster
        tree = ast.parse(path.read_bytes(), path.name)
        remove_words_and_layout(tree)
        return compile(tree, path.name, "exec", dont_inherit=True)


def module_digest(name: str, code: CodeType) -> str:
    """Compute the digest of a module.

    Args:
        name: Its path in the checkout.
        code: Its compiled code.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(name.encode())
    for part in code_parts(code):
        digest.update(len(part).to_bytes(8, "big"))  # or 1.5 and 10 would be 1.51 and 0
        digest.update(part)
    return digest.hexdigest()


def is_left_over(path: Path) -> bool:
    """Tell whether a file is a by-product: a cache of Python or numba, or an editor's hidden copy.

    Args:
        path: The file.
    """
    return "__pycache__" in path.parts or path.name.startswith(".")


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Turn the garbage collector off for the block."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def remove_words_and_layout(tree: ast.Module) -> None:
    """Remove docstrings from a syntax tree, and set all line numbers to 1.

    Otherwise the compiler would add instructions without effect that separate lines.

    Args:
        tree: The tree, which is changed.
    """
    waiting: list[object] = [tree]
    for node in waiting:  # the list grows meanwhile; ast.walk takes twice as long
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
    """Find the dotted names in the library that compiled code imports, or contains as a string.

    ``from rehearsal.genomes import blocks`` gives ``rehearsal.genomes`` and
    ``rehearsal.genomes.blocks``. A name may be that of a function.

    Args:
        code: The compiled code, with the functions inside it.

    Yields:
        The names.
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
    """Find the imports in compiled code, without those in functions inside it.

    Args:
        code: The compiled code.

    Yields:
        The module and the imported members of each import.
    """
    if IMPORT_NAME not in code.co_code[::2]:
        return
    members: object = None  # the constant loaded just before the import
    for opcode, argument in instructions(code.co_code):
        if opcode == LOAD_CONST:
            members = code.co_consts[argument]
        elif opcode == IMPORT_NAME:
            yield code.co_names[argument], list(strings(members))


def instructions(code: bytes) -> Iterator[tuple[int, int]]:
    """Decode bytecode: two bytes per instruction, with prefixes for longer arguments.

    Args:
        code: The bytecode.

    Yields:
        Opcodes and their arguments.
    """
    extended = 0
    for opcode, argument in zip(code[::2], code[1::2], strict=True):
        argument |= extended
        extended = argument << 8 if opcode == dis.EXTENDED_ARG else 0
        yield opcode, argument


def strings(value: object) -> Iterator[str]:
    """Find the strings in a constant: itself, or the members of a tuple or set.

    Args:
        value: The constant.

    Yields:
        The strings.
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | frozenset):
        for member in value:
            yield from strings(member)


def code_parts(code: CodeType) -> Iterator[bytes]:
    """Express what compiled code does as bytes, without file names and line numbers.

    Args:
        code: The compiled code.

    Yields:
        Parts to put into a digest.
    """
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
        elif isinstance(value, frozenset):  # a set has no fixed order
            yield repr(sorted(map(repr, value))).encode()
        else:
            yield repr(value).encode()
