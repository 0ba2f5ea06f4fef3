"""The command ``rehearsal``: by hand what the rules do."""

from __future__ import annotations

import argparse
import logging
import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from rehearsal import __version__
from rehearsal.dataset.options import add_check, add_dataset
from rehearsal.model import InputError

# Imports stand inside the commands: a node must start quickly and stay small.


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; an InputError ends it with its one line and exit status 2."""
    options = _parser().parse_args(arguments)
    try:
        try:
            options.run(options)
        finally:
            sys.stdout.flush()
    except InputError as error:
        sys.exit(_complain(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # who read our lines has enough of them, as head has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        sys.exit(141)


def _complain(error: InputError) -> int:
    print(f"rehearsal: {error}", file=sys.stderr)
    return 2


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage; the parsers of commands are such too."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected 0 to 65535, found {text}")
    return int(text)


def _not_negative(text: str) -> float:
    number = _number(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, found {text}")
    return number


def _positive(text: str) -> float:
    number = _number(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return number


def _share(text: str) -> float:
    number = _number(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"expected 0 or more and below 1, found {text}")
    return number


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found {text}")
    return int(text)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"expected a number, found {text}")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="rehearsal", description=__doc__)
    parser.add_argument("--version", action="version", version=f"rehearsal {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_node(commands.add_parser("node", help="one country's node").add_subparsers(required=True))
    network = commands.add_parser("network", help="all nodes behind one Beacon")
    _add_network(network.add_subparsers(required=True))
    _add_query(commands.add_parser("query", help="ask a network or a node"))
    _add_bench(commands.add_parser("bench", help="put a part of the suite to any Beacon v2"))
    add_dataset(commands.add_parser("dataset", help="test data to hand over, with known answers"))
    add_check(commands.add_parser("check", help="does a Beacon answer as a dataset's truth says"))
    issuer = commands.add_parser("issuer", help="an issuer of tokens for rehearsals")
    _add_issuer(issuer.add_subparsers(required=True))
    _add_token(commands.add_parser("token", help="print a token for somebody invented"))
    audit = commands.add_parser("audit", help="a node's audit log")
    _add_audit(audit.add_subparsers(required=True))
    _add_europe(
        commands.add_parser("europe", help="the Europe model").add_subparsers(required=True)
    )
    return parser


def _add_node(commands: argparse._SubParsersAction) -> None:
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
    serve.add_argument("--port", type=_port, default=0, help="0: any free port")
    serve.add_argument("--endpoint-file", type=Path, help="written when the node answers")
    serve.add_argument(
        "--delay-ms", type=_not_negative, default=0.0, help="round-trip time to apply"
    )
    serve.add_argument("--bandwidth-mbps", type=_positive, help="line to apply")
    serve.add_argument(
        "--jitter-ms", type=_not_negative, default=0.0, help="how far a round trip may be off"
    )
    serve.add_argument("--loss", type=_share, default=0.0, help="share of packets that get lost")
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


def _add_network(commands: argparse._SubParsersAction) -> None:
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
    serve.add_argument("--port", type=_port, default=0, help="0: any free port")
    serve.add_argument("--endpoint-file", type=Path, help="written when the service answers")
    serve.add_argument("--deadline-s", type=float, default=10.0, help="of a query over all nodes")
    serve.add_argument(
        "--collect",
        choices=["at-once", "sequential"],
        default="at-once",
        help="sequential: nodes one after another with 5 s each, for comparison",
    )
    serve.set_defaults(run=partial(_until_told, _network_serve))


def _add_query(query: argparse.ArgumentParser) -> None:
    query.add_argument("url", help="of the network, or of one node")
    query.add_argument("path", help="e.g. g_variants, individuals, datasets")
    query.add_argument("parameters", nargs="*", metavar="KEY=VALUE", help="e.g. filters=ICD10:C50")
    query.add_argument("--body", type=Path, help="JSON file to POST instead of parameters")
    query.add_argument("--deadline-s", type=_positive, help="other than the network's own")
    query.add_argument("--partial", action="store_true", help="do not wait for the overdue")
    query.add_argument("--token-variable", help="environment variable with a bearer token")
    query.add_argument("--purpose", help="what for, e.g. DUO:0000006")
    query.add_argument("--json", action="store_true", help="the whole answer")
    query.set_defaults(run=_query)


def _add_bench(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("--target", required=True, metavar="URL", help="base URL of the Beacon")
    bench.add_argument("--token-variable", help="environment variable with its bearer token")
    bench.add_argument(
        "--against", metavar="URL|FOLDER", help="another Beacon, or a node's folder to serve"
    )
    bench.add_argument("--against-token-variable", help="the same for the other one")
    bench.add_argument(
        "--part",
        required=True,
        choices=["frequency", "individuals"],
        help="allele-frequency look-ups, or counts of individuals",
    )
    bench.add_argument(
        "--suite",
        type=Path,
        default=Path("results/queries/suite.json"),
        metavar="FILE",
        help="queries as a run draws them",
    )
    bench.add_argument("--rounds", type=_whole, default=5, help="how often each query is asked")
    bench.add_argument("--deadline-s", type=_positive, default=10.0)
    bench.add_argument("--out", type=Path, metavar="FILE", help="Parquet, a row a request")
    bench.set_defaults(run=_bench)


def _add_issuer(commands: argparse._SubParsersAction) -> None:
    init = commands.add_parser("init", help="make its keys")
    init.add_argument("folder", type=Path, help="for the keys; only their owner can read them")
    init.add_argument("--url", help="the issuer's name in tokens; nodes compare it by letter")
    init.set_defaults(run=_issuer_init)

    serve = commands.add_parser("serve", help="answer for keys, userinfo and token exchange")
    serve.add_argument("folder", type=Path)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=0, help="0: any free port")
    serve.add_argument("--endpoint-file", type=Path, help="written when the issuer answers")
    serve.set_defaults(run=partial(_until_told, _issuer_serve))


def _add_token(token: argparse.ArgumentParser) -> None:
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


def _add_audit(commands: argparse._SubParsersAction) -> None:
    verify = commands.add_parser("verify", help="find a changed, missing or reordered line")
    verify.add_argument("file", type=Path, nargs="+", help="audit.jsonl")
    verify.add_argument("--head", help="a hash that was noted earlier and must be in the log")
    verify.set_defaults(run=_audit_verify)


def _add_europe(commands: argparse._SubParsersAction) -> None:
    fit = commands.add_parser("fit", help="estimate the model's parameters again")
    fit.add_argument("--countries", type=Path, default=Path("config/countries.tsv"))
    fit.add_argument("--start", type=Path, default=Path("config/demography.yaml"))
    fit.add_argument("--fst", type=Path, required=True, help="TSV with pop1, pop2, fst")
    fit.add_argument("--pca", type=Path, required=True, help="TSV with country, pc1, pc2")
    fit.add_argument("--out", type=Path, required=True, help="the parameters, YAML")
    fit.set_defaults(run=_europe_fit)


def _node_build(options: argparse.Namespace) -> None:
    from rehearsal.node.build import build_node, read_individuals
    from rehearsal.node.settings import NodeSettings

    if not re.fullmatch("[A-Z]{2}", options.country):
        raise InputError("rehearsal node build", "--country", "an ISO code like FI")
    if options.out.exists() and not options.out.is_dir():
        raise InputError(options.out, "--out", "a folder")
    people = read_individuals(options.individuals)
    settings = NodeSettings.for_country(options.country, options.name or options.country)
    variants = build_node(options.vcf, people, settings, options.out)
    print(f"{options.out}: {variants} variants of {len(people)} people")


def _until_told(serve: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> None:
    """Serve until told to end; what happens meanwhile is told on standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    serve(options)


def _node_serve(options: argparse.Namespace) -> None:
    from rehearsal.node.distance import Line
    from rehearsal.node.server import serve

    serve(
        options.folder,
        host=options.host,
        port=options.port,
        endpoint_file=options.endpoint_file,
        line=Line(options.delay_ms, options.bandwidth_mbps, options.jitter_ms, options.loss),
    )


def _node_admit(options: argparse.Namespace) -> None:
    from rehearsal.node.alerts.arrival import admit

    print(admit(options.folder, options.phenopacket, options.genotypes, options.consent))


def _node_contact(options: argparse.Namespace) -> None:
    from rehearsal.network.issuer import URL
    from rehearsal.node.alerts.store import person_behind
    from rehearsal.node.matchmaker.contacts import person_of

    asker = options.matched_for
    if asker is None:
        print(person_behind(options.folder, options.token))
    else:
        print(person_of(options.folder, options.issuer or URL, asker, options.token))


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


def _query(options: argparse.Namespace) -> None:
    from rehearsal.network.by_hand import ask_by_hand

    sys.exit(
        ask_by_hand(
            options.url,
            options.path,
            options.parameters,
            body=options.body,
            deadline_s=options.deadline_s,
            partial=options.partial,
            token_variable=options.token_variable,
            purpose=options.purpose,
            as_json=options.json,
        )
    )


def _bench(options: argparse.Namespace) -> None:
    from rehearsal.bench.compare import compare_by_hand

    sys.exit(
        compare_by_hand(
            options.target,
            options.part,
            options.suite,
            token_variable=options.token_variable,
            against=options.against,
            against_token_variable=options.against_token_variable,
            rounds=options.rounds,
            deadline_s=options.deadline_s,
            out=options.out,
        )
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


def _token(options: argparse.Namespace) -> None:
    from rehearsal.network.issuer import AUDIENCE, issue, open_issuer, person

    if len(options.country) != 2 or not options.country.isalpha():
        raise InputError("rehearsal token", "--country", "an ISO code of two letters")
    if options.lifetime_s < 1:
        raise InputError("rehearsal token", "--lifetime-s", "seconds, more than 0")
    issuer = open_issuer(options.folder)
    who = person(options.role, options.country, options.grant, issuer.url, options.name)
    made = issue(issuer, who, options.audience or AUDIENCE, options.lifetime_s, options.algorithm)
    print(made.access if options.access else made.passport)


def _audit_verify(options: argparse.Namespace) -> None:
    from rehearsal.node.audit import verify_log

    for path in options.file:
        verified = verify_log(path, options.head)
        print(f"{path}: {verified.lines} lines, head {verified.head}")


def _europe_fit(options: argparse.Namespace) -> None:
    from rehearsal.europe.fit import fit_command

    fit_command(options.countries, options.start, options.fst, options.pca, options.out)
