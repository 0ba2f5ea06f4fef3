"""The page of every command, from the parsers that read the command line."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator

from docs_build.markdown import code, sentence, table

INTRODUCTION = """# Command line

`.venv/bin/rehearsal` does by hand what the rules of a run do. Every command ends with exit status 0
when it succeeds. It ends with 2 and one line of text when an input cannot be used. `--help` prints
what this page shows.
"""
SAID_DEFAULT = re.compile(r"\s*\(default: ((?:[^()]|\([^()]*\))*)\)")
WIDTH = 100  # characters of a usage line


def command_line_page(parser: argparse.ArgumentParser) -> str:
    """Write the page about a command and all its subcommands.

    Args:
        parser: The parser of the whole command line.

    Returns:
        Markdown text.
    """
    parts = [INTRODUCTION]
    for command, summary in _commands(parser, ""):
        parts += [f"## `{command.prog}`\n", *_described(command, summary)]
    return "\n".join(parts)


def _commands(
    parser: argparse.ArgumentParser, summary: str
) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """A parser and all below it that do something, each with its line in the list of commands."""
    subcommands = _subcommands(parser)
    if parser.get_default("run") is not None or " " not in parser.prog:
        yield parser, summary
    if subcommands is not None:
        helps = {one.dest: one.help or "" for one in subcommands._choices_actions}
        for name, below in subcommands.choices.items():
            yield from _commands(below, helps.get(name, ""))


def _subcommands(parser: argparse.ArgumentParser) -> argparse._SubParsersAction | None:
    found = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return next(found, None)


def _described(parser: argparse.ArgumentParser, summary: str) -> Iterator[str]:
    """What a command does, how it is called, and its options."""
    text = inspect.cleandoc(parser.description or "").replace("``", "`")
    yield (text or sentence(summary)) + "\n"
    yield f"```text\n{_usage(parser)}\n```\n"
    actions = [one for one in parser._actions if one.help != argparse.SUPPRESS]
    arguments = [one for one in actions if not one.option_strings]
    for title, some in (
        ("argument", [one for one in arguments if _is_plain(one)]),
        ("option", [one for one in actions if one.option_strings]),
    ):
        shown = [one for one in some if not isinstance(one, argparse._HelpAction)]
        if shown:
            rows = [(_names(one), *_meaning_and_default(one, parser)) for one in shown]
            yield table([title, "meaning", "default"], rows)
    if parser.epilog:
        yield inspect.cleandoc(parser.epilog) + "\n"


def _is_plain(action: argparse.Action) -> bool:
    return not isinstance(action, argparse._SubParsersAction)


def _usage(parser: argparse.ArgumentParser) -> str:
    formatter = argparse.HelpFormatter(parser.prog, width=WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, "")
    return formatter.format_help().strip()


def _names(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else _metavar(action)
    if not action.option_strings:
        return code(value + (" ..." if action.nargs in ("+", "*") else ""))
    if action.nargs == "+":
        value += " ..."
    return ", ".join(code(f"{name} {value}".strip()) for name in action.option_strings)


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    return action.dest.upper() if action.option_strings else action.dest


def _meaning_and_default(
    action: argparse.Action, parser: argparse.ArgumentParser
) -> tuple[str, str]:
    """What an option means, and its default as the help text says it or as it is declared."""
    help_text = (action.help or "") % {**vars(action), "prog": parser.prog}
    said = SAID_DEFAULT.search(help_text)
    text = sentence(SAID_DEFAULT.sub("", help_text))
    if action.option_strings and action.required:
        text += " Required."
    if isinstance(action, argparse._AppendAction) and "repeated" not in text:
        text += " Can be given more than once."
    if said is not None:
        return text, said[1]
    if action.nargs == 0 or action.default in (None, [], "", argparse.SUPPRESS):
        return text, ""
    return text, code(str(action.default))
