"""A network whose nodes answer in this process: three countries with the same twelve people."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import unquote, urlencode

import orjson

from rehearsal.model import Answer
from rehearsal.network.answer_reader import Exchange, read_answer
from rehearsal.network.app import network_app
from rehearsal.network.issuer import AUDIENCE, make_issuer
from rehearsal.network.registry import NodeEntry, Registry, write_nodes
from rehearsal.network.service import Network, Policy
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.phenopackets import Phenopackets
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.variant_store import VariantStore

from ..node.beacon import named_genes
from ..node.conftest import GENES, call, write_node

COUNTRIES = ("EE", "FI", "SE")
GRANTED = [f"{kind}-{one}-REHEARSAL-1" for one in COUNTRIES for kind in ("GOE", "GDI")]


class InProcessClient:
    """Sends requests to the nodes' applications, as a ``NetworkClient`` sends them by HTTP."""

    def __init__(self, apps):
        self.apps = apps

    async def send(self, node, request, started, deadline_s):
        headers = [
            (name, value.encode())
            for name, value in (
                (b"authorization", request.authorization),
                (b"x-rehearsal-purpose", request.purpose),
            )
            if value is not None
        ]
        body = None if request.body is None else orjson.dumps(request.body)
        parameters = urlencode(request.parameters)
        exchange = Exchange()
        exchange.status, _, exchange.body = await call(
            self.apps[node.country],
            f"/{unquote(request.path)}",
            body,
            parameters,
            request.method,
            headers,
        )
        state, content, reason = read_answer(False, exchange)
        return Answer(request.query, node.country, state, exchange.status, content, 0.0, 0, reason)


class Asked:
    """Nodes and their network, and a token with a grant of all their datasets."""

    def __init__(self, folder):
        node_folder = write_node(folder / "node")
        people = PeopleStore.open(node_folder / "people.sqlite")
        variants = VariantStore.open(node_folder / "variants.sqlite")
        issuer = make_issuer(folder / "issuer")
        self.token = sign_tokens(
            issuer, create_person("researcher", "SE", GRANTED, issuer.url), AUDIENCE
        ).passport
        access = AccessSettings(
            issuers=(issuer.trusted(),), audience=(AUDIENCE,), without_consent="include"
        )
        self.apps, self.data = {}, {}
        for country in COUNTRIES:
            settings = NodeSettings.for_country(country, country, GENES)
            settings = replace(settings, access=access)
            data = self.data[country] = NodeData(
                settings, variants, people, gene_bases=named_genes.genes()
            )
            packets = Phenopackets(data)
            self.apps[country] = beacon_app(data, Authorizer(settings, people), packets)
        entries = [NodeEntry(one, f"https://{one.lower()}.example") for one in COUNTRIES]
        write_nodes(entries, folder / "nodes.yaml")
        registry, client = Registry([folder / "nodes.yaml"]), InProcessClient(self.apps)
        self.apps["network"] = network_app(Network(registry, client, Policy()))

    def ask(self, where, path, body=None, parameters="", *, granted, headers=()):
        """Return status and body of the answer of a node or of the network."""
        sent = None if body is None else orjson.dumps(body)
        return self.ask_raw(where, path, sent, parameters, granted=granted, headers=headers)

    def ask_raw(self, where, path, body, parameters="", *, granted, headers=()):
        """Send a body as it is."""
        if granted:
            headers = [*headers, (b"authorization", f"Bearer {self.token}".encode())]
        status, _, answer = asyncio.run(
            call(self.apps[where], path, body, parameters, headers=headers)
        )
        return status, orjson.loads(answer)
