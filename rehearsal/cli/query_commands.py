"""The commands for queries: send one, print a token, verify the log of queries."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rehearsal.errors import InputError, shown
from rehearsal.web.command_line import add_command, positive, positive_integer


def add_query(query: argparse.ArgumentParser) -> None:
    """Declare the options of ``rehearsal query``.

    Args:
        query: The parser of the command.
    """
    add = query.add_argument
    add("url", metavar="URL", help="base URL of the network or of one node")
    add("path", metavar="PATH", help="endpoint, such as g_variants, individuals or datasets")
    add(
        "parameters",
        nargs="*",
        metavar="KEY=VALUE",
        help="parameters of the query, such as filters=ICD10:C50",
    )
    add(
        "--body",
        type=Path,
        metavar="FILE",
        help="JSON file with a Beacon request, sent by POST instead of parameters (default: none)",
    )
    add(
        "--deadline-s",
        type=positive,
        metavar="SECONDS",
        help="deadline of the query, in place of the network's own (default: the network's own)",
    )
    add(
        "--partial",
        action="store_true",
        help="accept an answer without the nodes that are overdue (default: wait for them)",
    )
    add(
        "--token-variable",
        metavar="NAME",
        help="environment variable that holds a bearer token (default: no token)",
    )
    add(
        "--purpose",
        metavar="DUO",
        help="purpose of the query as a DUO term, such as DUO:0000006 (default: not stated)",
    )
    add(
        "--key-variable",
        metavar="NAME",
        help="environment variable that holds a key of the Matchmaker Exchange, for the header "
        "X-Auth-Token (default: no key)",
    )
    add(
        "--json",
        action="store_true",
        help="print the whole answer as JSON (default: a summary)",
    )
    query.set_defaults(run=_query)


def add_token(token: argparse.ArgumentParser) -> None:
    """Declare the options of ``rehearsal token``.

    Args:
        token: The parser of the command.
    """
    add = token.add_argument
    add("folder", type=Path, metavar="FOLDER", help="folder of the issuer")
    add(
        "--role",
        choices=["researcher", "clinician", "committee"],
        default="researcher",
        help="role of the person (default: %(default)s)",
    )
    add(
        "--country",
        required=True,
        metavar="CODE",
        help="country of the person, two letters of ISO 3166-1, such as FI",
    )
    add(
        "--grant",
        action="append",
        default=[],
        metavar="DATASET",
        help="dataset that the person may use, by name or URL, such as GDI-FI-REHEARSAL-1; "
        "may be repeated (default: none)",
    )
    add("--name", default="", help="subject of the token (default: ROLE-COUNTRY)")
    add(
        "--audience",
        action="append",
        help="recipient that may accept the token, one of access.audience in node.yaml; may be "
        "repeated (default: https://network.rehearsal.example, which the nodes of a run accept)",
    )
    add(
        "--lifetime-s",
        type=positive_integer,
        default=3600,
        metavar="SECONDS",
        help="how long the token is valid (default: %(default)s s)",
    )
    add(
        "--algorithm",
        choices=["ES256", "RS256"],
        default="ES256",
        help="signature algorithm (default: %(default)s)",
    )
    add(
        "--access",
        action="store_true",
        help="print an access token, which carries no visas (default: a passport)",
    )
    token.set_defaults(run=_token)


def add_audit(commands: argparse._SubParsersAction) -> None:
    """Declare the sub-commands of ``rehearsal audit``.

    Args:
        commands: The sub-commands of the parser.
    """
    verify = add_command(
        commands,
        "verify",
        "Check that no line of an audit log was changed, removed or moved",
        "Prints the number of lines and the hash of the last one.",
    )
    verify.add_argument(
        "file",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="audit log of a node, audit.jsonl, with its closed segments beside it; or one segment",
    )
    verify.add_argument(
        "--head",
        metavar="HASH",
        help="hash noted earlier, which the log must still contain (default: none)",
    )
    verify.set_defaults(run=_audit_verify)


def _query(options: argparse.Namespace) -> None:
    from rehearsal.network.query_command import QueryCommand, run_query

    command = QueryCommand(
        options.url,
        options.path,
        options.parameters,
        body=options.body,
        deadline_s=options.deadline_s,
        partial=options.partial,
        token_variable=options.token_variable,
        purpose=options.purpose,
        key_variable=options.key_variable,
    )
    sys.exit(run_query(command, as_json=options.json))


def _token(options: argparse.Namespace) -> None:
    from rehearsal.network.issuer import AUDIENCE, open_issuer
    from rehearsal.network.tokens import create_person, oversize, sign_tokens

    country = options.country
    if len(country) != 2 or not (country.isascii() and country.isalpha()):
        expected = "a country code of two letters"
        raise InputError("rehearsal token", "--country", expected, shown(options.country))
    _refuse_empty(options)
    issuer = open_issuer(options.folder)
    who = create_person(options.role, options.country, options.grant, issuer.url, options.name)
    made = sign_tokens(
        issuer, who, options.audience or AUDIENCE, options.lifetime_s, options.algorithm
    )
    fault = None if options.access else oversize(who, made.passport)
    if fault is not None:
        raise InputError("rehearsal token", "--grant", *fault)
    print(made.access if options.access else made.passport)


def _refuse_empty(options: argparse.Namespace) -> None:
    for option in ("grant", "audience"):
        for text in getattr(options, option) or ():
            if not text.strip():
                expected = "a text that is not empty"
                raise InputError("rehearsal token", f"--{option}", expected, shown(text))


def _audit_verify(options: argparse.Namespace) -> None:
    from rehearsal.node.access.audit_check import verify_log

    for path in options.file:
        verified = verify_log(path, options.head)
        print(f"{path}: {verified.lines} lines, head {verified.head}")
        if verified.first > 1:
            lines = f"lines {verified.first} to {verified.lines} were verified"
            missing = f"lines 1 to {verified.first - 1}, elsewhere, must end with {verified.before}"
            print(f"{path}: {lines}; {missing}")
