"""Command lines: errors in one form, values that are checked."""

from __future__ import annotations

import argparse
import errno
import logging
import math
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from rehearsal.errors import InputError, cause, full_disk, mismatch, shown

USAGE_STATUS = 2  # exit status for a wrong command line or input, as argparse has it
EXTRAS = {  # packages that only an extra of pyproject.toml brings, by the name they are imported by
    "node": {"cryptography", "httptools", "jwt", "msgspec", "starlette", "uvicorn", "uvloop"},
    "simulate": {"bio2zarr", "tszip"},
    "report": {"altair", "demesdraw", "hdrh", "jinja2", "matplotlib", "vl_convert"},
}
SPARE_CHARACTERS = 12  # of a file's name, for the one beside its place while it is written
TYPE_WORDS = {"int": "a whole number", "float": "a number"}


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that reports an error in one line, without the usage.

    The line has the form of :func:`rehearsal.errors.mismatch`. Parsers of sub-commands are of
    this class too. Takes the arguments of ``argparse.ArgumentParser``.
    """

    def error(self, message: str) -> NoReturn:
        """Print the error in its one form and end the process with exit status 2.

        Args:
            message: The message of argparse.
        """
        place, expected, found = self._explain(message)
        where = f"{self.prog}: {place}" if place else self.prog
        self.exit(USAGE_STATUS, f"{mismatch(where, expected, found)}; see {self.prog} --help\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse arguments; refuse unknown ones here, where the sub-command's name is known.

        Args:
            args: The arguments; None for those of the process.
            namespace: Where values go; None for a new one.

        Returns:
            The values, and an empty list.
        """
        values, unknown = super().parse_known_args(args, namespace)
        if not hasattr(values, "prog"):  # the parser of the deepest sub-command is the first here
            values.prog = self.prog
        if unknown and not any(one.startswith("-") for one in unknown):
            unknown = self._collect_arguments(values, unknown)
        if unknown:
            kind = "option" if unknown[0].startswith("-") else "argument"
            expected = f"an {kind} of this command"
            self._refuse(unknown[0].partition("=")[0], expected, f"an unknown {kind}")
        return values, unknown

    def _collect_arguments(self, values: Any, unknown: list[str]) -> list[str]:
        """Add arguments that follow an option to the last, repeatable argument, if there is one.

        argparse takes all arguments of ``*`` from one place only.
        """
        positional = self._get_positional_actions()
        if not positional or positional[-1].nargs != "*":
            return unknown
        dest = positional[-1].dest
        setattr(values, dest, [*getattr(values, dest), *unknown])
        return []

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            text = f"expected {_one_of(action.choices)}, found {shown(value)}"
            raise argparse.ArgumentError(action, text)

    def _refuse(self, place: str, expected: str, found: str) -> NoReturn:
        self.error(mismatch(f"argument {place}", expected, found))

    def _explain(self, message: str) -> tuple[str, str, str]:
        """The place, what was expected and what was found, from a message of argparse."""
        if match := re.fullmatch(r"argument (.*?): expected (.*), found (.*)", message, re.DOTALL):
            return match[1], match[2], match[3]
        if match := re.fullmatch(r"the following arguments are required: (.*)", message):
            return self._explain_missing(match[1].split(", "))
        if match := re.fullmatch(r"argument (.*?): invalid (\w+) value: (.*)", message, re.DOTALL):
            return match[1], TYPE_WORDS.get(match[2], "a valid value"), match[3]
        if match := re.fullmatch(r"argument (.*?): ignored explicit argument (.*)", message):
            return match[1], "no value", match[2]
        if match := re.fullmatch(r"argument (.*?): not allowed with argument (.*)", message):
            return match[1], f"no other option beside {match[2]}", "this option"
        if match := re.fullmatch(r"argument (.*?): expected (.*?)(?: arguments?)?", message):
            words = {"one": "a value", "at least one": "at least one value"}
            return match[1], words.get(match[2], match[2]), "nothing"
        if match := re.fullmatch(r"ambiguous option: (.*) could match (.*)", message):
            return match[1], f"one of {match[2]}", "the beginning of several"
        return "", "a valid command line", message

    def _explain_missing(self, names: Sequence[str]) -> tuple[str, str, str]:
        """The explanation of required arguments that are missing."""
        choices = [
            action.choices
            for action in self._actions
            if action.choices and names == [_name_of(action)]
        ]
        expected = _one_of(choices[0]) if choices else "a value" if len(names) == 1 else "values"
        return ", ".join(names), expected, "nothing"


def _name_of(action: argparse.Action) -> str:
    """The name of an argument in argparse's messages."""
    metavar = action.metavar if isinstance(action.metavar, str) else None
    return "/".join(action.option_strings) or metavar or action.dest


def _one_of(choices: Any) -> str:
    return f"one of {', '.join(map(str, choices))}"


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None) -> None:
    """Parse a command line and call the function that it names as ``run``, with the options.

    An InputError ends this process with its one line on standard error and exit status 2. So
    does a package of an extra that is not installed, and a file or connection that fails (OSError).

    Args:
        parser: The parser; its values hold ``run``.
        arguments: The arguments; None for those of the process.
    """
    options = parser.parse_args(arguments)
    program = getattr(options, "prog", parser.prog)  # with the names of sub-commands
    try:
        try:
            options.run(options)
        finally:
            sys.stdout.flush()
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(USAGE_STATUS)
    except ModuleNotFoundError as error:
        extra = next((one for one, names in EXTRAS.items() if error.name in names), None)
        if extra is None:
            raise
        expected = f"the Python package {error.name} (pip install 'rehearsal[{extra}]')"
        print(mismatch(program, expected, "no such package"), file=sys.stderr)
        sys.exit(USAGE_STATUS)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our lines has closed the pipe, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        sys.exit(141)
    except OSError as error:  # such as a folder that cannot be written, or a full disk
        print(_explain_failure(program, error), file=sys.stderr)
        sys.exit(USAGE_STATUS)


def _explain_failure(program: str, error: OSError) -> str:
    """The one line for a file that cannot be read or written, or a connection that fails."""
    if line := full_disk(error):
        return line
    reason = f"an error ({cause(error)})"
    path = error.filename2 or error.filename
    if path is None:
        return mismatch(program, "files and connections that work", reason)
    name = os.fsdecode(path) if isinstance(path, str | bytes) else str(path)
    aside = f".{os.getpid()}."  # of a file that is written beside its place
    expected = "a file or folder that can be read and written"
    return mismatch(f"{program}: {name.replace(aside, '')}", expected, reason)


def add_commands(parser: argparse.ArgumentParser) -> argparse._SubParsersAction:
    """Give a parser sub-commands, one of which must be named.

    Args:
        parser: The parser of the command.

    Returns:
        What ``add_command`` takes.
    """
    return parser.add_subparsers(required=True, metavar="COMMAND", title="commands")


def add_command(
    commands: argparse._SubParsersAction, name: str, summary: str, details: str = ""
) -> argparse.ArgumentParser:
    """Add a sub-command.

    Args:
        commands: The sub-commands of a parser.
        name: The command's name.
        summary: What it does, in the imperative, without a full stop: shown in the list of
            commands, and first on the command's own help page.
        details: More sentences for its own help page.

    Returns:
        The parser of the command.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary}. {details}".strip()
    )
    return parser


def refuse_unmakeable_folder(
    command: str, option: str, folder: Path, *, is_replaced: bool = False
) -> None:
    """Check before any work that a folder for output can be made, or is there and empty.

    Args:
        command: The command, for the error.
        option: The option or argument that names the folder.
        folder: The folder.
        is_replaced: Whether an empty folder is replaced by one that is made beside it, so that
            the folder above it must be writable.

    Raises:
        InputError: The folder holds files, or it cannot be made or written.
    """
    try:
        if folder.is_symlink():
            folder.resolve(strict=True)  # a loop of links, or a link to nothing, is no place
        _refuse_occupied(command, option, folder)
        there = _place_to_write(folder, is_replaced)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, up to Python 3.12
        reason = cause(error) if isinstance(error, OSError) else os.strerror(errno.ELOOP)
        found = f"{folder} ({reason})"
        raise InputError(command, option, "a folder that can be made", found) from None
    # root may write anywhere, but not where there is no disk, such as /proc
    may_write = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    if not may_write or not os.statvfs(there).f_blocks:
        found = f"{folder} in {there}, where nothing can be written"
        raise InputError(command, option, "a folder that can be made", found)
    if len(os.fsencode(folder.name)) + SPARE_CHARACTERS > os.pathconf(there, "PC_NAME_MAX"):
        found = f"{folder} ({os.strerror(errno.ENAMETOOLONG)})"
        raise InputError(command, option, "a folder that can be made", found)


def _refuse_occupied(command: str, option: str, folder: Path) -> None:
    """Refuse a file, or a folder with files in it, in the place of a folder for output."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        found = f"{folder}, {'a folder with files in it' if folder.is_dir() else 'a file'}"
        expected = "a new or empty folder, because no file is replaced"
        raise InputError(command, option, expected, found)


def _place_to_write(folder: Path, is_replaced: bool) -> Path:
    """Find the existing folder that must be writable, so that a folder for output can be made."""
    if folder.exists():
        return folder.resolve().parent if is_replaced else folder
    there = next(path for path in folder.absolute().parents if os.path.lexists(path))
    there.resolve(strict=True)
    return there


def prepare_to_serve() -> None:
    """Log to standard error, each line with its time, and let no SIGHUP end the start.

    Once the service answers, SIGHUP makes it read its settings again.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")


# --- values of options ---


def port(text: str) -> int:
    """Read a TCP port.

    Args:
        text: The value of the option.

    Returns:
        A whole number from 0 to 65535.

    Raises:
        argparse.ArgumentTypeError: The text is no such number.
    """
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise _wrong("a whole number from 0 to 65535", text)
    return int(text)


def not_negative(text: str) -> float:
    """Read a number of at least 0.

    Args:
        text: The value of the option.

    Raises:
        argparse.ArgumentTypeError: The text is no such number.
    """
    number = _number(text)
    if not (math.isfinite(number) and number >= 0):
        raise _wrong("a number of at least 0", text)
    return number


def positive(text: str) -> float:
    """Read a number above 0.

    Args:
        text: The value of the option.

    Raises:
        argparse.ArgumentTypeError: The text is no such number.
    """
    number = _number(text)
    if not (math.isfinite(number) and number > 0):
        raise _wrong("a number above 0", text)
    return number


def share(text: str) -> float:
    """Read a share: at least 0 and below 1.

    Args:
        text: The value of the option.

    Raises:
        argparse.ArgumentTypeError: The text is no such number.
    """
    number = _number(text)
    if not 0 <= number < 1:
        raise _wrong("a number of at least 0 and below 1", text)
    return number


def positive_integer(text: str) -> int:
    """Read a whole number of at least 1.

    Args:
        text: The value of the option.

    Raises:
        argparse.ArgumentTypeError: The text is no such number.
    """
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise _wrong("a whole number of at least 1", text)
    return int(text)


def _number(text: str) -> float:
    """The number that a text is; NaN for other text."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _wrong(expected: str, text: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"expected {expected}, found {shown(text)}")
