"""Matchmaker Exchange 1.1 at one node: ``/match``, ``/heartbeat`` and ``/metrics``.

The caller's rights are checked first, then the request, then the consent of the patient in it. No
person of the node is looked up before all three are in order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rehearsal import __version__
from rehearsal.errors import shown
from rehearsal.model import Variant
from rehearsal.node.access.consent import permits
from rehearsal.node.access.rights import Rights, caller_rights
from rehearsal.node.access.settings import CLINICAL_CARE
from rehearsal.node.access.visas import Caller
from rehearsal.node.beacon.liftover import Liftover
from rehearsal.node.matchmaker.contact_tokens import ContactTokens
from rehearsal.node.matchmaker.index import FILE_NAME, MatchmakerIndex, Term
from rehearsal.node.matchmaker.ranking import Match, Ranking
from rehearsal.node.matchmaker.request import MAX_BODY, MatchRequest, read_match
from rehearsal.node.settings.gene_names import GeneNames
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.node_reference import ReferenceBases
from rehearsal.stores.variant_store import VariantStore
from rehearsal.web.app import POST, Api, ErrorBody, Json
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import read_body

API_VERSION = "1.1"
VERSIONS = ("1.0", "1.1")
MATCH, HEARTBEAT, METRICS = "/match", "/heartbeat", "/metrics"
MEDIA_TYPE = f"application/vnd.ga4gh.matchmaker.v{API_VERSION}+json"
MEDIA_TYPES = tuple(f"application/vnd.ga4gh.matchmaker.v{one}+json" for one in VERSIONS)
PLAIN = "application/json"
# minor versions are compatible with each other
OTHER_VERSION = re.compile(r"application/vnd\.ga4gh\.matchmaker\.v(?!1(?:\.\d+)?\+)[^+]*\+json")
MOST_MATCHES = 50
# added to the Beacon's service-info
SERVICE = {"matchmakerExchange": {"version": API_VERSION, "path": MATCH}}
DISCLAIMER = "All people are synthetic. None of them exists."
TERMS = "Use the answer only for the purpose of the request."


class MatchEndpoint:
    """The handlers of the Matchmaker Exchange for one node's people.

    Args:
        settings: The node's settings.
        variants: Germline variants of the people.
        folder: The node's folder. Without an index in it, matching is answered with 404.
        secret: The node's secret, for contact tokens.
        reference: The node's reference, or None if it has none.
        liftover: Moves variants from GRCh37. None: those of the table only.

    Raises:
        InputError: The index cannot be used.
    """

    def __init__(
        self,
        settings: NodeSettings,
        variants: VariantStore,
        folder: Path,
        secret: bytes,
        reference: ReferenceBases | None = None,
        liftover: Liftover | None = None,
    ) -> None:
        self._liftover = liftover or Liftover()
        self._settings, self._genes = settings, GeneNames(settings.genes)
        self._names = variants.individuals
        self._contacts = ContactTokens(secret)
        self._ranking = None
        path = folder / FILE_NAME
        if path.exists():
            index = MatchmakerIndex.open(path, len(self._names))
            self._ranking = Ranking(variants, self._genes, index, reference)
            self._index = index

    def add_to(self, api: Api, error_body: ErrorBody) -> None:
        """Add the routes.

        Args:
            api: The node's API.
            error_body: Builds error bodies of the node's API, of which these routes' are a kind.
        """
        form = partial(match_error, error_body)
        api.add(MATCH, self.answer, POST, form)
        api.add(HEARTBEAT, self.heartbeat, error_body=form)
        api.add(METRICS, self.metrics, error_body=form)

    @property
    def has_index(self) -> bool:
        """Whether patients can be matched."""
        return self._ranking is not None

    async def answer(self, request: Request) -> Response:
        """Answer a match request.

        Args:
            request: The request, after authorization.

        Returns:
            The matches.

        Raises:
            Problem: The request is refused.
        """
        rights = caller_rights(request)
        caller = self._clinician(rights)
        media_type = negotiate_media_type(request)
        ranking = self._present_ranking()
        wanted = read_match(await read_body(request, MAX_BODY), self._liftover)
        if wanted.uses is not None and not permits(wanted.uses, rights.purpose):
            raise Problem(
                f"The consent in patient._consent does not permit the purpose {rights.purpose}.",
                403,
                cause="the patient's consent does not permit the purpose",
            )
        found = ranking.matches(wanted, rights.excluded, MOST_MATCHES)
        notes = [*wanted.notes, *ranking.notes(wanted)]
        body = orjson.dumps(self._response(wanted, found, caller, notes))
        return Response(body, media_type=media_type)

    async def heartbeat(self, request: Request) -> Response:
        """Tell that the node answers, and in which versions.

        Args:
            request: The request, after authorization.

        Returns:
            The heartbeat.

        Raises:
            Problem: The caller has no right to match patients.
        """
        self._clinician(caller_rights(request))
        self._present_ranking()
        return Json(heartbeat_body())

    async def metrics(self, request: Request) -> Response:
        """Count what can be matched: the people who permit the purpose, and genes on record.

        Everybody can be matched: also somebody without terms may carry a variant of a request.

        Args:
            request: The request, after authorization.

        Returns:
            The metrics.

        Raises:
            Problem: The caller has no right to match patients.
        """
        rights = caller_rights(request)
        self._clinician(rights)
        self._present_ranking()
        by_gene = [one - rights.excluded for one in self._index.people_by_gene().values()]
        return Json(
            metrics_body(
                {
                    "numberOfCases": self._index.size - len(rights.excluded),
                    "numberOfGenes": sum(map(len, by_gene)),
                    "numberOfUniqueGenes": sum(map(bool, by_gene)),
                }
            )
        )

    def _present_ranking(self) -> Ranking:
        if self._ranking is None:
            raise Problem("This node has no index for patient matching.", 404)
        return self._ranking

    def _clinician(self, rights: Rights) -> Caller:
        """Return the caller, who must state clinical care and have a grant for the node's people.

        Raises Problem (401, 403). The authorizer has already checked the role that the settings
        require for clinical care.
        """
        if rights.caller is None:
            raise rights.refusal()
        if rights.purpose is None or rights.purpose.term != CLINICAL_CARE:
            raise Problem(
                f"Patient matching requires the purpose {CLINICAL_CARE} (clinical care).",
                403,
                cause="another purpose than clinical care",
            )
        rights.require_records([self._settings.people_dataset])
        return rights.caller

    def _response(
        self, wanted: MatchRequest, found: Sequence[Match], caller: Caller, notes: list[str]
    ) -> Body:
        """Build the answer. A person whose own token is the request's patient id is left out."""
        named = [(one, self._contacts.for_caller(caller, self._names[one.person])) for one in found]
        named = [(one, token) for one, token in named if token != wanted.id]
        named.sort(key=lambda pair: (-pair[0].score, not pair[0].variants, pair[1]))
        response: Body = {
            "results": [self._result(one, token, wanted) for one, token in named[:MOST_MATCHES]],
            "disclaimer": DISCLAIMER,
            "terms": TERMS,
            "_hpo": self._index.hpo,
        }
        return response | ({"_notes": notes} if notes else {})

    def _genes_of(self, match: Match, wanted: MatchRequest) -> dict[Variant, str]:
        """Return the gene of each shared variant: as in the request, or that of the node's table.

        Clients expect one with every variant.
        """
        variants = [variant for variant, _ in match.variants]
        found = {variant: self._genes.at(variant.contig, variant.start) for variant in variants}
        named = {variant: gene.name for variant, gene in found.items() if gene is not None}
        asked = {
            variant: wanted.gene_of[variant] for variant in variants if variant in wanted.gene_of
        }
        return named | asked

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
            "genomicFeatures": _genomic_features(match, self._genes_of(match, wanted)),
        }
        return {"score": {"patient": match.score}, "patient": patient}


def heartbeat_body() -> Body:
    """Build the heartbeat of a node or network."""
    beat = {"production": False, "version": __version__, "accept": list(MEDIA_TYPES)}
    return {"heartbeat": beat, "disclaimer": DISCLAIMER}


def metrics_body(numbers: Body) -> Body:
    """Build the metrics of a node or network.

    Args:
        numbers: Numbers by their names in the Matchmaker Exchange.

    Returns:
        The body.
    """
    today = datetime.now(UTC).date().isoformat()
    return {
        "metrics": {**numbers, "dateGenerated": today},
        "disclaimer": DISCLAIMER,
        "terms": TERMS,
    }


def match_error(error_body: ErrorBody, status: int, message: str) -> Body:
    """Build an error body that is valid for an API and for the Matchmaker Exchange.

    Args:
        error_body: Builds error bodies of the API.
        status: HTTP status.
        message: The message.

    Returns:
        The body.
    """
    versions = {"supportedVersions": list(VERSIONS)} if status in (406, 415) else {}
    return {**error_body(status, message), "message": message, **versions}


def _feature(term: Term) -> Body:
    return {"id": term.id, "label": term.label, "observed": "yes"}


def _genomic_features(match: Match, gene_of: Mapping[Variant, str]) -> list[Body]:
    """List shared variants with the match's copies, then shared genes without such a variant."""
    features: list[Body] = []
    for variant, copies in match.variants:
        gene = gene_of.get(variant)
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
    with_variants = set(gene_of.values())
    return features + [{"gene": {"id": one}} for one in match.genes if one not in with_variants]


def negotiate_media_type(request: Request) -> str:
    """Choose the media type of the answer.

    Args:
        request: The request, with its ``Content-Type`` and ``Accept``.

    Returns:
        The Matchmaker Exchange's type, or ``application/json``.

    Raises:
        Problem: The body has another type (415), or body or answer another version (406).
    """
    _check_content_type(_essence(request.headers.get("content-type", PLAIN)))
    accepted = [_essence(one) for one in request.headers.get("accept", "*/*").split(",")]
    usable = [one for one in accepted if not OTHER_VERSION.fullmatch(one)]
    if not usable:
        raise _other_version("Accept", ", ".join(accepted))
    wants_plain = PLAIN in usable and not any("matchmaker" in one for one in usable)
    return PLAIN if wants_plain else MEDIA_TYPE


def _check_content_type(sent: str) -> None:
    if OTHER_VERSION.fullmatch(sent):
        raise _other_version("Content-Type", sent)
    if not (sent == PLAIN or "ga4gh.matchmaker" in sent):
        raise Problem.mismatch("Content-Type", f"{MEDIA_TYPE} or {PLAIN}", shown(sent), 415)


def _other_version(header: str, found: str) -> Problem:
    """Build the refusal of other versions, which tells the latest one in its ``Content-Type``."""
    problem = Problem.mismatch(header, MEDIA_TYPE, shown(found), 406)
    problem.headers["content-type"] = MEDIA_TYPE
    return problem


def _essence(media_type: str) -> str:
    """Return type and subtype, without parameters."""
    return media_type.partition(";")[0].strip().lower()
