"""The commands that make and serve nodes, the network and the issuer of tokens."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from rehearsal.cli.algorithm_commands import (
    add_airlock,
    add_analyse,
    add_digest,
    add_network_identity,
    add_node_identity,
)
from rehearsal.errors import InputError, shown
from rehearsal.network.serve_options import add_serve_options as add_network_options
from rehearsal.node.serve_options import add_serve_options as add_node_options
from rehearsal.web.address import add_address_options, service_address
from rehearsal.web.command_line import (
    add_command,
    add_commands,
    prepare_to_serve,
    refuse_unmakeable_folder,
)


def add_node(commands: argparse._SubParsersAction) -> None:
    """Declare the sub-commands of ``rehearsal node``.

    Args:
        commands: The sub-commands of the parser.
    """
    build = add_command(
        commands,
        "build",
        "Build a node's folder from VCF or BCF files",
        "The folder can then be served with rehearsal node serve.",
    )
    build.add_argument(
        "--vcf",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="VCF files (text, gzip or BGZF) or BCF files, GRCh38; no index is needed",
    )
    build.add_argument(
        "--individuals",
        type=Path,
        required=True,
        metavar="FILE",
        help="table of the people: Parquet or TSV with the columns id, sex, birth_year",
    )
    build.add_argument(
        "--country",
        required=True,
        metavar="CODE",
        help="country of the node, two capital letters of ISO 3166-1, such as FI",
    )
    build.add_argument("--name", help="name of the country (default: its code)")
    build.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="folder to write the node to"
    )
    build.add_argument(
        "--access",
        choices=["protected", "open"],
        default="protected",
        help="who may see what: protected, as access in node.yaml says; or open, which shows "
        "everything exactly to everybody, for synthetic people only (default: %(default)s)",
    )
    build.add_argument(
        "--include-filtered",
        action="store_true",
        help="take records whose FILTER is not PASS too (default: they are left out)",
    )
    build.add_argument(
        "--fix-ploidy",
        action="store_true",
        help="give genotypes on chrX, chrY and chrM the copies that people of their sex have: 1/1 "
        "of a man on chrX is hemizygous, 0/1 missing (default: genotypes are as in the file)",
    )
    build.add_argument(
        "--reference",
        type=Path,
        metavar="FASTA",
        help="GRCh38 with its index: leave out records with another REF, left-align insertions and "
        "deletions (default: no check, and alleles stay where the file has them)",
    )
    build.set_defaults(run=_node_build)

    serve = add_command(commands, "serve", "Serve one country's node", "Stop it with Ctrl-C.")
    add_node_options(serve)
    serve.set_defaults(run=_node_serve)

    admit = add_command(
        commands,
        "admit",
        "Add a patient to a running node",
        "The node then informs the subscribers whose query matches the patient.",
    )
    admit.add_argument(
        "folder", type=Path, metavar="FOLDER", help="folder of the node, which may be running"
    )
    admit.add_argument(
        "phenopacket",
        type=Path,
        metavar="PHENOPACKET",
        help="JSON file with the patient, GA4GH Phenopackets v2",
    )
    admit.add_argument(
        "--genotypes",
        type=Path,
        metavar="FILE",
        help="VCF or BCF file with the patient's genotypes (default: none)",
    )
    admit.add_argument(
        "--consent",
        metavar="DUO,...",
        help="uses that the patient permits, as DUO terms, such as DUO:0000042,DUO:0000043 "
        "(default: no consent on record)",
    )
    admit.set_defaults(run=_node_admit)

    withdraw = add_command(
        commands,
        "withdraw",
        "Record that people withdrew their consent",
        "The services of the node leave them out of every answer within 5 s, without a restart.",
    )
    withdraw.add_argument(
        "folder", type=Path, metavar="FOLDER", help="folder of the node, which may be running"
    )
    withdraw.add_argument(
        "people", nargs="+", metavar="PERSON", help="identifier of a person, such as FI-000001"
    )
    withdraw.set_defaults(run=_node_withdraw)

    contact = add_command(
        commands,
        "contact",
        "Find the person that the token of an alert or match stands for",
        "Only the operator of the node can do this: it needs the node's folder.",
    )
    contact.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the node")
    contact.add_argument("token", metavar="TOKEN", help="token of the alert or match")
    contact.add_argument(
        "--matched-for",
        metavar="SUBJECT",
        help="for the token of a match: who asked, the subject in the audit log "
        "(default: the token is an alert's)",
    )
    contact.add_argument(
        "--issuer",
        metavar="URL",
        help="issuer of that subject (default: https://issuer.rehearsal.example)",
    )
    contact.set_defaults(run=_node_contact)

    add_digest(commands)
    add_node_identity(commands)
    add_airlock(
        add_commands(
            add_command(commands, "airlock", "Decide about results of algorithms that are held")
        )
    )


def add_network(commands: argparse._SubParsersAction) -> None:
    """Declare the sub-commands of ``rehearsal network``.

    Args:
        commands: The sub-commands of the parser.
    """
    serve = add_command(
        commands,
        "serve",
        "Serve a network over all nodes of a registry",
        "It sends each query to all nodes and joins their answers. Stop it with Ctrl-C.",
    )
    add_network_options(serve)
    serve.set_defaults(run=_network_serve)
    add_analyse(commands)
    add_network_identity(commands)


def add_issuer(commands: argparse._SubParsersAction) -> None:
    """Declare the sub-commands of ``rehearsal issuer``.

    Args:
        commands: The sub-commands of the parser.
    """
    init = add_command(
        commands, "init", "Make the keys of a new issuer", "Existing keys are never replaced."
    )
    init.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="new or empty folder for the keys, which only their owner can read",
    )
    init.add_argument(
        "--url",
        help="name of the issuer in tokens; nodes compare it character by character "
        "(default: https://issuer.rehearsal.example)",
    )
    init.set_defaults(run=_issuer_init)

    serve = add_command(
        commands,
        "serve",
        "Serve an issuer",
        "It publishes its keys, answers userinfo requests and exchanges tokens. Stop it with "
        "Ctrl-C.",
    )
    serve.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the issuer")
    add_address_options(serve, "issuer")
    serve.set_defaults(run=_issuer_serve)


def _node_build(options: argparse.Namespace) -> None:
    from rehearsal.logs import show_notes
    from rehearsal.node.intake.people_table import read_individuals
    from rehearsal.node.settings.node_settings import NodeSettings
    from rehearsal.node.vcf_import import IntakeOptions, build_node

    show_notes()
    if not re.fullmatch("[A-Z]{2}", options.country):
        expected = "a country code of two capital letters"
        raise InputError("rehearsal node build", "--country", expected, shown(options.country))
    refuse_unmakeable_folder("rehearsal node build", "--out", options.out)
    people = read_individuals(options.individuals)
    settings = NodeSettings.for_country(options.country, options.name or options.country)
    if options.access == "open":
        settings = settings.opened()
    how = IntakeOptions(options.include_filtered, options.fix_ploidy, options.reference)
    report = build_node(options.vcf, people, settings, options.out, how)
    print(f"{options.out}: {report.variants} variants of {len(people)} people")
    print("\n".join(report.lines()))
    if options.access == "open":
        print("This node shows everything to everybody: for synthetic people only.")


def _node_serve(options: argparse.Namespace) -> None:
    from rehearsal.node.server import serve_by_options

    serve_by_options(options)


def _node_admit(options: argparse.Namespace) -> None:
    from rehearsal.node.alerts.patient_import import import_patient

    print(import_patient(options.folder, options.phenopacket, options.genotypes, options.consent))


def _node_withdraw(options: argparse.Namespace) -> None:
    from rehearsal.node.withdraw_command import withdraw_consent

    new = withdraw_consent(options.folder, options.people)
    for person in dict.fromkeys(options.people):
        print(f"{person}: {'withdrawn' if person in new else 'withdrawn before'}")


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
    from rehearsal.network.registry import is_http_url

    folder = options.folder
    refuse_unmakeable_folder("rehearsal issuer init", "FOLDER", folder)
    url = URL if options.url is None else options.url
    if not is_http_url(url) or any(one.isspace() for one in url):
        expected = "a URL http(s)://HOST/... without user, password and query"
        found = "one with more parts" if {"@", "?"} & set(url) else shown(url)
        raise InputError("rehearsal issuer init", "--url", expected, found)
    issuer = make_issuer(folder, url)
    print(f"{issuer.url}; public keys in {folder / 'jwks.json'}")


def _issuer_serve(options: argparse.Namespace) -> None:
    from rehearsal.network.issuer_server import serve

    prepare_to_serve()
    serve(options.folder, service_address(options))
