"""Nodes, the network and the issuer of tokens: making and serving them."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.network.serve_options import add_serve_options as add_network_options
from rehearsal.node.serve_options import add_serve_options as add_node_options
from rehearsal.web.command_line import add_address_options, log_to_stderr


def add_node(commands: argparse._SubParsersAction) -> None:
    build = commands.add_parser("build", help="make a folder to serve from VCF or BCF")
    build.add_argument("--vcf", type=Path, nargs="+", required=True, metavar="FILE")
    build.add_argument(
        "--individuals",
        type=Path,
        required=True,
        help="Parquet or TSV with columns id, sex, birth_year",
    )
    build.add_argument("--country", required=True, help="ISO code, e.g. FI")
    build.add_argument("--name", help="the country's name; default: its code")
    build.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    build.set_defaults(run=_node_build)

    serve = commands.add_parser("serve", help="answer for one country's folder")
    add_node_options(serve)
    serve.set_defaults(run=_node_serve)

    admit = commands.add_parser("admit", help="let somebody arrive at a node")
    admit.add_argument("folder", type=Path, help="of the node, which may be serving")
    admit.add_argument("phenopacket", type=Path, help="JSON, GA4GH Phenopackets v2")
    admit.add_argument("--genotypes", type=Path, help="VCF or BCF of this person")
    admit.add_argument("--consent", help="what they permit, e.g. DUO:0000042,DUO:0000043")
    admit.set_defaults(run=_node_admit)

    contact = commands.add_parser("contact", help="whom the token of an alert or match stands for")
    contact.add_argument("folder", type=Path)
    contact.add_argument("token")
    contact.add_argument("--matched-for", help="of a match: who asked (subject of the audit log)")
    contact.add_argument("--issuer", help="that names them so; default: the one of rehearsals")
    contact.set_defaults(run=_node_contact)


def add_network(commands: argparse._SubParsersAction) -> None:
    serve = commands.add_parser("serve", help="answer for all nodes of a registry")
    add_network_options(serve)
    serve.set_defaults(run=_network_serve)


def add_issuer(commands: argparse._SubParsersAction) -> None:
    init = commands.add_parser("init", help="make its keys")
    init.add_argument("folder", type=Path, help="for the keys; only their owner can read them")
    init.add_argument("--url", help="the issuer's name in tokens; nodes compare it by letter")
    init.set_defaults(run=_issuer_init)

    serve = commands.add_parser("serve", help="answer for keys, userinfo and token exchange")
    serve.add_argument("folder", type=Path)
    add_address_options(serve, "issuer")
    serve.set_defaults(run=_issuer_serve)


def _node_build(options: argparse.Namespace) -> None:
    from rehearsal.node.settings.node_settings import NodeSettings
    from rehearsal.node.vcf_import import build_node, read_individuals

    if not re.fullmatch("[A-Z]{2}", options.country):
        raise InputError("rehearsal node build", "--country", "an ISO code like FI")
    if options.out.exists() and not options.out.is_dir():
        raise InputError(options.out, "--out", "a folder")
    people = read_individuals(options.individuals)
    settings = NodeSettings.for_country(options.country, options.name or options.country)
    variants = build_node(options.vcf, people, settings, options.out)
    print(f"{options.out}: {variants} variants of {len(people)} people")


def _node_serve(options: argparse.Namespace) -> None:
    from rehearsal.node.server import serve_by_options

    serve_by_options(options)


def _node_admit(options: argparse.Namespace) -> None:
    from rehearsal.node.alerts.patient_import import import_patient

    print(import_patient(options.folder, options.phenopacket, options.genotypes, options.consent))


def _node_contact(options: argparse.Namespace) -> None:
    from rehearsal.network.issuer import URL
    from rehearsal.node.alerts.alert_store import find_person_of_alert
    from rehearsal.node.matchmaker.contact_tokens import find_person_of_token

    asker = options.matched_for
    if asker is None:
        print(find_person_of_alert(options.folder, options.token))
    else:
        print(find_person_of_token(options.folder, options.issuer or URL, asker, options.token))


def _network_serve(options: argparse.Namespace) -> None:
    from rehearsal.network.server import serve_by_options

    serve_by_options(options)


def _issuer_init(options: argparse.Namespace) -> None:
    from rehearsal.network.issuer import URL, make_issuer

    folder = options.folder
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        expected = "a new or an empty folder; keys that are there are never replaced"
        raise InputError(folder, "issuer", expected)
    issuer = make_issuer(folder, options.url or URL)
    print(f"{issuer.url}; public keys in {folder / 'jwks.json'}")


def _issuer_serve(options: argparse.Namespace) -> None:
    from rehearsal.network.issuer_server import serve

    log_to_stderr()
    serve(options.folder, options.host, options.port, options.endpoint_file)
