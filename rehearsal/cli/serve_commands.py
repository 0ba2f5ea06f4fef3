"""Nodes, the network and the issuer of tokens: making and serving them."""

from __future__ import annotations

import argparse
import logging
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rehearsal.cli.argument_types import not_negative, port, positive, share
from rehearsal.model import InputError


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
    serve.add_argument("folder", type=Path)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=port, default=0, help="0: any free port")
    serve.add_argument("--endpoint-file", type=Path, help="written when the node answers")
    serve.add_argument(
        "--delay-ms", type=not_negative, default=0.0, help="round-trip time to apply"
    )
    serve.add_argument("--bandwidth-mbps", type=positive, help="line to apply")
    serve.add_argument(
        "--jitter-ms", type=not_negative, default=0.0, help="how far a round trip may be off"
    )
    serve.add_argument("--loss", type=share, default=0.0, help="share of packets that get lost")
    serve.set_defaults(run=partial(_until_told, _node_serve))

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
    serve.add_argument(
        "--nodes",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE|FOLDER",
        help="YAML with nodes, or a folder of endpoint files; later ones take earlier ones' place",
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=port, default=0, help="0: any free port")
    serve.add_argument("--endpoint-file", type=Path, help="written when the service answers")
    serve.add_argument("--deadline-s", type=float, default=10.0, help="of a query over all nodes")
    serve.add_argument(
        "--collect",
        choices=["at-once", "sequential"],
        default="at-once",
        help="sequential: nodes one after another with 5 s each, for comparison",
    )
    serve.set_defaults(run=partial(_until_told, _network_serve))


def add_issuer(commands: argparse._SubParsersAction) -> None:
    init = commands.add_parser("init", help="make its keys")
    init.add_argument("folder", type=Path, help="for the keys; only their owner can read them")
    init.add_argument("--url", help="the issuer's name in tokens; nodes compare it by letter")
    init.set_defaults(run=_issuer_init)

    serve = commands.add_parser("serve", help="answer for keys, userinfo and token exchange")
    serve.add_argument("folder", type=Path)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=port, default=0, help="0: any free port")
    serve.add_argument("--endpoint-file", type=Path, help="written when the issuer answers")
    serve.set_defaults(run=partial(_until_told, _issuer_serve))


def _until_told(serve: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> None:
    """Serve until told to end; what happens meanwhile is told on standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    serve(options)


def _node_build(options: argparse.Namespace) -> None:
    from rehearsal.node.settings import NodeSettings
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
    from rehearsal.node.server import serve
    from rehearsal.web.latency import Line

    serve(
        options.folder,
        host=options.host,
        port=options.port,
        endpoint_file=options.endpoint_file,
        line=Line(options.delay_ms, options.bandwidth_mbps, options.jitter_ms, options.loss),
    )


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
    from rehearsal.network.server import serve
    from rehearsal.network.service import LONGEST_DEADLINE_S, Policy

    if not 0 < options.deadline_s <= LONGEST_DEADLINE_S:
        limits = f"more than 0 and at most {LONGEST_DEADLINE_S:g} seconds"
        raise InputError("rehearsal network serve", "--deadline-s", limits)
    serve(
        options.nodes,
        host=options.host,
        port=options.port,
        endpoint_file=options.endpoint_file,
        policy=Policy(options.deadline_s, options.collect),
    )


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

    serve(options.folder, options.host, options.port, options.endpoint_file)
