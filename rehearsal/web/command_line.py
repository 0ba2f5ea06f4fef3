"""Command lines: numbers that are checked, the options of all that serve, one line for an error."""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rehearsal.errors import InputError


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage; the parsers of commands are such too."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None) -> None:
    """Call what the options name as ``run`` with the options.

    An InputError ends this process with its one line and exit status 2.
    """
    options = parser.parse_args(arguments)
    try:
        try:
            options.run(options)
        finally:
            sys.stdout.flush()
    except InputError as error:
        print(f"rehearsal: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # who read our lines has enough of them, as head has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        sys.exit(141)


def add_address_options(parser: argparse.ArgumentParser, server: str) -> None:
    """Where something serves, and the file that tells where: ``host``, ``port``,
    ``endpoint_file``."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port, default=0, help="0: any free port")
    parser.add_argument("--endpoint-file", type=Path, help=f"written when the {server} answers")


def log_to_stderr() -> None:
    """What happens while something serves is told on standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")


# --- values of options ---


def port(text: str) -> int:
    """0 to 65535."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected 0 to 65535, found {text}")
    return int(text)


def not_negative(text: str) -> float:
    """0 or more."""
    number = finite(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, found {text}")
    return number


def positive(text: str) -> float:
    """More than 0."""
    number = finite(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return number


def share(text: str) -> float:
    """0 or more, and below 1."""
    number = finite(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"expected 0 or more and below 1, found {text}")
    return number


def positive_integer(text: str) -> int:
    """1 or more."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found {text}")
    return int(text)


def finite(text: str) -> float:
    """Any number but NaN and the infinities."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"expected a number, found {text}")
    return number
