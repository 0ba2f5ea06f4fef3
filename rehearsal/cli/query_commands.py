"""Asking by hand: queries, tokens to ask with, and the log of what was asked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.web.command_line import positive


def add_query(query: argparse.ArgumentParser) -> None:
    query.add_argument("url", help="of the network, or of one node")
    query.add_argument("path", help="e.g. g_variants, individuals, datasets")
    query.add_argument("parameters", nargs="*", metavar="KEY=VALUE", help="e.g. filters=ICD10:C50")
    query.add_argument("--body", type=Path, help="JSON file to POST instead of parameters")
    query.add_argument("--deadline-s", type=positive, help="other than the network's own")
    query.add_argument("--partial", action="store_true", help="do not wait for the overdue")
    query.add_argument("--token-variable", help="environment variable with a bearer token")
    query.add_argument("--purpose", help="what for, e.g. DUO:0000006")
    query.add_argument("--json", action="store_true", help="the whole answer")
    query.set_defaults(run=_query)


def add_token(token: argparse.ArgumentParser) -> None:
    token.add_argument("folder", type=Path, help="of the issuer")
    roles = ["researcher", "clinician", "committee"]
    token.add_argument("--role", choices=roles, default="researcher")
    token.add_argument("--country", required=True, help="ISO code, e.g. FI")
    token.add_argument(
        "--grant", action="append", default=[], help="dataset opened to them, e.g. GDI-FI-..."
    )
    token.add_argument("--name", default="", help="subject, other than ROLE-COUNTRY")
    token.add_argument("--audience", action="append", help="who may take it; default: all nodes")
    token.add_argument("--lifetime-s", type=int, default=3600)
    token.add_argument("--algorithm", choices=["ES256", "RS256"], default="ES256")
    token.add_argument(
        "--access", action="store_true", help="an access token, without visas, not a passport"
    )
    token.set_defaults(run=_token)


def add_audit(commands: argparse._SubParsersAction) -> None:
    verify = commands.add_parser("verify", help="find a changed, missing or reordered line")
    verify.add_argument("file", type=Path, nargs="+", help="audit.jsonl")
    verify.add_argument("--head", help="a hash that was noted earlier and must be in the log")
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
    )
    sys.exit(run_query(command, as_json=options.json))


def _token(options: argparse.Namespace) -> None:
    from rehearsal.network.issuer import AUDIENCE, create_person, open_issuer, sign_tokens

    if len(options.country) != 2 or not options.country.isalpha():
        raise InputError("rehearsal token", "--country", "an ISO code of two letters")
    if options.lifetime_s < 1:
        raise InputError("rehearsal token", "--lifetime-s", "seconds, more than 0")
    issuer = open_issuer(options.folder)
    who = create_person(options.role, options.country, options.grant, issuer.url, options.name)
    made = sign_tokens(
        issuer, who, options.audience or AUDIENCE, options.lifetime_s, options.algorithm
    )
    print(made.access if options.access else made.passport)


def _audit_verify(options: argparse.Namespace) -> None:
    from rehearsal.node.access.audit_log import verify_log

    for path in options.file:
        verified = verify_log(path, options.head)
        print(f"{path}: {verified.lines} lines, head {verified.head}")
