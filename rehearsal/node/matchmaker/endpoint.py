"""``POST /match``: who may ask, in which words, and what is answered (Matchmaker Exchange 1.1).

Rights come first, then the request, then the asking patient's consent: nobody is looked at before
all three are in order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rehearsal.node.access.consent import permits
from rehearsal.node.access.rights import Rights, caller_rights
from rehearsal.node.access.settings import CLINICAL_CARE
from rehearsal.node.access.visas import Caller
from rehearsal.node.matchmaker.contact_tokens import ContactTokens
from rehearsal.node.matchmaker.index import FILE_NAME, MatchmakerIndex, Term
from rehearsal.node.matchmaker.ranking import Match, Ranking
from rehearsal.node.matchmaker.request import MatchRequest, read_match
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.variant_store import VariantStore
from rehearsal.web.app import ErrorBody, Json, read_body
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem

API_VERSION = "1.1"
VERSIONS = ("1.0", "1.1")
MEDIA_TYPE = f"application/vnd.ga4gh.matchmaker.v{API_VERSION}+json"
PLAIN = "application/json"
OTHER_VERSION = re.compile(r"application/vnd\.ga4gh\.matchmaker\.v(?!1\.[01]\+)[^+]*\+json")
MOST_MATCHES = 50
# what service-info, which is a Beacon's, adds where matches are served too
SERVICE = {"matchmakerExchange": {"version": API_VERSION, "path": "/match"}}
DISCLAIMER = "Synthetic people: none of them exists."


class MatchEndpoint:
    """The handler of ``/match`` over one node's people.

    ``folder``: the node's, with or without an index; a node without one matches nobody, and says
    so. ``secret``: of the node, for contact tokens. ``error_body``: of the API that it is part of.
    Raises InputError for an index that cannot be used.
    """

    def __init__(
        self,
        settings: NodeSettings,
        variants: VariantStore,
        folder: Path,
        secret: bytes,
        error_body: ErrorBody,
    ) -> None:
        self._settings, self._error_body = settings, error_body
        self._names = variants.individuals
        self._contacts = ContactTokens(secret)
        self._ranking = None
        path = folder / FILE_NAME
        if path.exists():
            index = MatchmakerIndex.open(path, len(self._names))
            genes = {gene.name: gene for gene in settings.genes}
            self._ranking, self._hpo = Ranking(variants, genes, index), index.hpo

    async def answer(self, request: Request) -> Response:
        """The handler. Refusals are the API's errors that are the Matchmaker Exchange's too."""
        try:
            return await self._answer(request)
        except Problem as problem:
            if problem.status == 401:  # with the header that goes with it
                raise
            return Json(_refusal(self._error_body, problem), problem.status)

    async def _answer(self, request: Request) -> Response:
        rights = caller_rights(request)
        caller = self._clinician(rights)
        media_type = negotiate_media_type(request)
        if self._ranking is None:
            raise Problem("this node keeps no index to match patients by", 404)
        wanted = read_match(await read_body(request))
        if not permits(wanted.uses, rights.purpose):
            raise Problem(
                f"patient._consent: the asking patient does not permit {rights.purpose}", 403
            )
        found = self._ranking.matches(wanted, rights.excluded, MOST_MATCHES)
        body = orjson.dumps(self._response(wanted, found, caller))
        return Response(body, media_type=media_type)

    def _clinician(self, rights: Rights) -> Caller:
        """The caller, who asks for clinical care and has the node's people opened to them.

        Raises Problem (401, 403): where a role is wanted for clinical care, the
        authorizer has looked at it already.
        """
        if rights.caller is None:
            raise rights.refusal()
        if rights.purpose is None or rights.purpose.term != CLINICAL_CARE:
            raise Problem(
                f"patients are matched for clinical care only, purpose {CLINICAL_CARE}", 403
            )
        rights.require_records([self._settings.people_dataset])
        return rights.caller

    def _response(self, wanted: MatchRequest, found: Sequence[Match], caller: Caller) -> Body:
        """The answer: who asks by a token of this node's own does not get that person."""
        named = [(one, self._contacts.for_caller(caller, self._names[one.person])) for one in found]
        named = [(one, token) for one, token in named if token != wanted.id]
        named.sort(key=lambda pair: (-pair[0].score, not pair[0].variants, pair[1]))
        response: Body = {
            "results": [self._result(one, token, wanted) for one, token in named[:MOST_MATCHES]],
            "disclaimer": DISCLAIMER,
            "_hpo": self._hpo,
        }
        if wanted.notes:
            response["_notes"] = list(wanted.notes)
        return response

    def _result(self, match: Match, token: str, wanted: MatchRequest) -> Body:
        country = self._settings.country_code
        contact = {
            "name": f"Rare disease desk of {self._settings.country_name}",
            "institution": f"Rehearsal node of {self._settings.country_name}",
            "href": f"mailto:match@{country.lower()}.rehearsal.example?subject={token}",
        }
        patient = {
            "id": token,
            "contact": contact,
            "features": [_feature(term) for term in match.terms],
            "genomicFeatures": _genomic_features(match, wanted),
        }
        return {"score": {"patient": match.score}, "patient": patient}


def _refusal(error_body: ErrorBody, problem: Problem) -> Body:
    """The error body of an API and of the Matchmaker Exchange."""
    body = {**error_body(problem.status, problem.message), "message": problem.message}
    if problem.status in (406, 415):
        body["supportedVersions"] = list(VERSIONS)
    return body


def _feature(term: Term) -> Body:
    return {"id": term.id, "label": term.label, "observed": "yes"}


def _genomic_features(match: Match, wanted: MatchRequest) -> list[Body]:
    """Shared variants with the copies that the other has, then shared genes without one."""
    features: list[Body] = []
    with_variants = set()
    for variant, copies in match.variants:
        gene = wanted.gene_of.get(variant)
        if gene is not None:
            with_variants.add(gene)
        features.append(
            {
                **({} if gene is None else {"gene": {"id": gene}}),
                "variant": {
                    "assembly": "GRCh38",
                    "referenceName": variant.contig.removeprefix("chr"),
                    "start": variant.start,
                    "end": variant.start + len(variant.ref),
                    "referenceBases": variant.ref,
                    "alternateBases": variant.alt,
                },
                "zygosity": copies,
            }
        )
    return features + [{"gene": {"id": one}} for one in match.genes if one not in with_variants]


def negotiate_media_type(request: Request) -> str:
    """The type to answer in. Raises Problem: 415 for another type of body, 406 for another
    version of the API."""
    _check_content_type(_essence(request.headers.get("content-type", PLAIN)))
    accepted = [_essence(one) for one in request.headers.get("accept", "*/*").split(",")]
    usable = [one for one in accepted if not OTHER_VERSION.fullmatch(one)]
    if not usable:
        raise Problem(f"accept: this node speaks {MEDIA_TYPE}", 406)
    wants_plain = PLAIN in usable and not any("matchmaker" in one for one in usable)
    return PLAIN if wants_plain else MEDIA_TYPE


def _check_content_type(sent: str) -> None:
    if OTHER_VERSION.fullmatch(sent) or not (sent == PLAIN or "ga4gh.matchmaker" in sent):
        raise Problem(f"content-type: {MEDIA_TYPE} or {PLAIN}", 415)


def _essence(media_type: str) -> str:
    """Type and subtype, without parameters."""
    return media_type.partition(";")[0].strip().lower()
