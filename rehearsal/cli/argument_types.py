"""Values on the command line: what is not one is told in a line."""

from __future__ import annotations

import argparse
import math


def port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected 0 to 65535, found {text}")
    return int(text)


def not_negative(text: str) -> float:
    number = finite(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, found {text}")
    return number


def positive(text: str) -> float:
    number = finite(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return number


def share(text: str) -> float:
    number = finite(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"expected 0 or more and below 1, found {text}")
    return number


def whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found {text}")
    return int(text)


def finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"expected a number, found {text}")
    return number
