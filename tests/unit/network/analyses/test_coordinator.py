"""An analysis over nodes, in clear and masked, with nodes that are lost at every point."""

import asyncio
from base64 import b64decode

import numpy as np
import pytest

from rehearsal.analyses.alleles import AlleleList
from rehearsal.analyses.exchange import unpack_arrays
from rehearsal.analyses.protocol import AnalysisError
from rehearsal.analyses.rounds import NetworkRun, NodeRun
from rehearsal.masked_sums.partners import JoinedNode
from rehearsal.network.analyses.coordinator import Coordinator
from rehearsal.network.analyses.masked_round import Masking
from rehearsal.network.analyses.remote_run import NodeLostError
from rehearsal.node.wes.masked_rounds import MaskedRounds, Sums
from tests.unit.analyses.cohort import play, simulate
from tests.unit.signing_keys import public_keys, signing_key

NAMES = ["BE", "DE", "EE", "FI", "MT"]
LINEAR = {"outcome": "height", "covariates": ["age", "sex"]}
CLEAR = {"steps": [{"algorithm": "linear", "parameters": LINEAR}], "smallest_count": 3}
MASKED = {
    "steps": [{"algorithm": "linear", "parameters": LINEAR, "masked": True}],
    "smallest_count": 3,
}
COMPONENTS = {
    "steps": [
        {"algorithm": "components", "parameters": {"number": 2}},
        {"algorithm": "linear", "parameters": {**LINEAR, "covariates": ["components"]}},
    ],
    "smallest_count": 3,
}
MASKED_COMPONENTS = {
    **COMPONENTS,
    "steps": [{**COMPONENTS["steps"][0], "masked": True}, *COMPONENTS["steps"][1:]],
}


class LocalRun:
    """A node in this process. ``lost_at`` is the call at which it fails, and how often it works."""

    partners, task = NAMES, b"the same"  # what it says of itself when it joins

    def __init__(self, name, view, parameters, lost_at=("", 0)):
        self.node, self.ended, self.received = name, 0, {}
        self._run = NodeRun(view, parameters)
        self._masks = MaskedRounds("run", name, parameters["smallest_count"])
        self._lost_at, self._left = lost_at

    async def _call(self, name):
        if name == self._lost_at:
            self._left -= 1
            if self._left < 0:
                raise NodeLostError("failed", f"lost at {name}")

    def _sums(self, number):
        arrays = self._run.sums()
        about = self._run.header(number, arrays)["arrays"]
        counted = frozenset(name for name in about if about[name]["class"] == "count")
        counts = {name: one["counts"] for name, one in about.items()}
        bounds = {k: np.array(one["bound"]) for k, one in about.items() if "bound" in one}
        return Sums(arrays, counted, counts, bounds)

    async def start(self):
        await self._call("start")

    async def sums(self, round_number):
        await self._call("sums")
        return self._sums(round_number).arrays

    async def answer(self, round_number, state):
        await self._call("answer")
        self._run.follow(unpack_arrays(state, "state"))

    async def end(self):
        self.ended += 1

    async def join(self):
        await self._call("join")
        known = {name: b64decode(one) for name, one in public_keys(*self.partners).items()}
        mine, identity = self._masks.public_key, signing_key(self.node)
        return JoinedNode.signed(identity, self.node, "run", self.task, mine, known)

    async def meet(self, keys):
        self._masks.meet({name: one.public_key for name, one in keys.items()})

    async def masked_sums(self, attempt):
        await self._call("masked_sums")
        return self._masks.mask(attempt.number, self._sums(attempt.round_number), attempt.nodes)

    async def confirm(self, attempt, present):
        await self._call("confirm")
        return self._masks.confirm(attempt.number, present)

    async def reveal(self, attempt, confirmations, opener):
        await self._call("reveal")
        return self._masks.reveal(attempt.number, confirmations, opener)

    async def open(self, attempt, masked_total, confirmations, sealed):
        await self._call("open")
        sums = self._sums(attempt.round_number)
        return self._masks.open(attempt.number, sums, masked_total, confirmations, sealed)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    return simulate(folder, sizes=(80, 60, 50, 40, 30), n_variants=60)


@pytest.fixture(scope="module")
def views(cohort):
    return cohort.views()


def nodes_of(views, parameters, lost_at):
    return [
        LocalRun(name, view, parameters, lost_at.get(name, ("", 0)))
        for name, view in zip(NAMES, views, strict=True)
    ]


def coordinate(views, parameters, lost_at=None, given=None):
    nodes = nodes_of(views, parameters, lost_at or {})
    masking = Masking() if any(step.get("masked") for step in parameters["steps"]) else None
    result = asyncio.run(Coordinator(NetworkRun(parameters, given), nodes, masking).play())
    assert [node.ended for node in nodes] == [1] * len(nodes)
    return result


def assert_equal(found, expected, tolerance=1e-9):
    for name in ("beta", "z"):
        np.testing.assert_allclose(found["linear"][name], expected["linear"][name], tolerance)
    np.testing.assert_array_equal(
        found["frequencies"]["missing"], expected["frequencies"]["missing"]
    )


def test_all_nodes_together_give_what_one_process_does(views):
    result = coordinate(views, CLEAR)
    assert_equal(result.results, play(views, CLEAR).results)
    assert result.nodes["linear"] == NAMES
    assert result.losses == []


def test_masked_sums_hide_what_is_rare_in_the_total_and_nothing_else(cohort, views):
    """The list of alleles is given: nodes do not say which rare ones they have."""
    given = AlleleList.of_texts(*zip(*cohort.sites, strict=True))
    parameters = {**MASKED, "given_alleles": True, "smallest_count": 8}
    masked = coordinate(views, parameters, given=given).results
    expected = play(views, parameters, given=given).results["linear"]  # hides nothing
    measured = cohort.people["height"].notna().to_numpy()
    genotypes = cohort.genotypes[cohort.order(masked)][:, measured]
    smaller = np.minimum((genotypes > 0).sum(axis=1), (genotypes < 2).sum(axis=1))
    z = masked["linear"]["z"]
    assert (smaller < 8).sum() >= 5
    np.testing.assert_array_equal(np.isfinite(z), smaller >= 8)
    np.testing.assert_allclose(z[smaller >= 8], expected["z"][smaller >= 8], atol=1e-6)


@pytest.mark.parametrize("call", ["start", "sums"])
def test_a_node_lost_before_its_first_sums_is_not_in_the_result(views, call):
    result = coordinate(views, CLEAR, {"MT": (call, 0)})
    assert_equal(result.results, play(views[:4], CLEAR).results)
    assert [(loss.node, loss.outcome) for loss in result.losses] == [("MT", "failed")]
    assert result.nodes["linear"] == NAMES[:4]


def test_a_step_begins_anew_when_it_has_used_the_sums_of_a_node_that_is_lost(views):
    """Round 0 lists alleles, round 1 counts, rounds 2 and on compute components."""
    result = coordinate(views, COMPONENTS, {"FI": ("sums", 4)})
    others = [view for view, name in zip(views, NAMES, strict=True) if name != "FI"]
    expected = play(views, COMPONENTS, lost={2: [3]}).results
    assert result.losses[0].round_number == 4
    assert result.nodes["components"] == result.nodes["linear"] == ["BE", "DE", "EE", "MT"]
    assert result.nodes["frequencies"] == NAMES
    assert len(others) == 4
    np.testing.assert_allclose(
        result.results["components"]["eigenvalues"], expected["components"]["eigenvalues"], 1e-9
    )
    assert_equal(result.results, expected, 1e-6)


@pytest.mark.parametrize(
    ("name", "call", "calls_before"),
    [
        ("BE", "open", 0),  # opens the first total
        ("DE", "open", 0),  # opens the second
        ("DE", "reveal", 0),
        ("MT", "masked_sums", 0),
        ("MT", "masked_sums", 1),
        ("MT", "confirm", 1),
        ("MT", "reveal", 0),
        ("MT", "answer", 1),
    ],
)
def test_a_node_lost_at_any_point_of_a_masked_round_costs_only_its_own_people(
    views, name, call, calls_before
):
    result = coordinate(views, MASKED, {name: (call, calls_before)})
    assert [loss.node for loss in result.losses] == [name]
    others = [one for one in NAMES if one != name]
    assert result.nodes["linear"] == others
    least = {"steps": MASKED["steps"], "smallest_count": 3}  # of the list of alleles, all nodes'
    expected = play(views, least, lost={2: [NAMES.index(name)]}).results["linear"]
    known = np.isfinite(result.results["linear"]["z"])
    assert known.sum() > 30
    np.testing.assert_allclose(
        result.results["linear"]["z"][known], expected["z"][known], atol=1e-6
    )


@pytest.mark.parametrize(("unit", "other"), [(1e9, 1e-6), (1e-7, 1e8)])
def test_masked_sums_fit_whatever_the_units_are(tmp_path, unit, other):
    """Effects change with the units, z does not: small sums keep their digits beside large ones."""
    cohort = simulate(tmp_path, sizes=(40, 36, 30), n_variants=40)
    names = NAMES[:3]
    found = {}
    for scales in ((1.0, 1.0), (unit, other)):
        people = cohort.people
        cohort.people = people.assign(
            height=people["height"] * scales[0], age=people["age"] * scales[1]
        )
        nodes = [
            LocalRun(name, view, MASKED) for name, view in zip(names, cohort.views(), strict=True)
        ]
        result = asyncio.run(Coordinator(NetworkRun(MASKED), nodes, Masking()).play())
        cohort.people = people
        assert result.losses == []
        found[scales] = result.results["linear"]["z"]
    first, second = found.values()
    known = np.isfinite(first)
    assert known.sum() > 20
    np.testing.assert_allclose(second[known], first[known], atol=1e-9)


def assert_same_components(found, expected):
    np.testing.assert_array_equal(found["chosen"], expected["chosen"])
    cosines = (found["loadings"] * expected["loadings"]).sum(axis=0)
    assert (1 - np.abs(cosines) < 1e-12).all()
    np.testing.assert_allclose(found["eigenvalues"], expected["eigenvalues"], 1e-9)


def test_masked_components_are_those_of_sums_that_nobody_hides(views):
    """And the regression in clear after them has the same z."""
    result, expected = coordinate(views, MASKED_COMPONENTS), play(views, MASKED_COMPONENTS)
    assert_same_components(result.results["components"], expected.results["components"])
    assert result.results["components"]["rounds"] == expected.results["components"]["rounds"]
    assert_equal(result.results, expected.results, 1e-9)


@pytest.mark.parametrize(
    ("name", "call", "calls_before"),
    [("FI", "masked_sums", 2), ("FI", "confirm", 2), ("FI", "reveal", 2), ("EE", "open", 0)],
)
def test_masked_components_begin_anew_when_a_node_is_lost_in_their_midst(
    views, name, call, calls_before
):
    """Round 1 counts, rounds 2 and on seek components; the third total is opened by EE."""
    result = coordinate(views, MASKED_COMPONENTS, {name: (call, calls_before)})
    assert [(one.node, one.round_number) for one in result.losses] == [(name, 3)]
    others = [one for one in NAMES if one != name]
    assert result.nodes["components"] == result.nodes["linear"] == others
    expected = play(views, MASKED_COMPONENTS, lost={2: [NAMES.index(name)]}).results
    assert_same_components(result.results["components"], expected["components"])
    assert_equal(result.results, expected, 1e-9)


def test_masked_components_leave_out_what_too_few_of_those_present_carry(cohort, views):
    """Enough people of all nodes carry each chosen variant; without BE and DE some have too few."""
    parameters = {**MASKED_COMPONENTS, "smallest_count": 30}
    everybody = coordinate(views, parameters).results
    lost = coordinate(views, parameters, dict.fromkeys(NAMES[:2], ("masked_sums", 1)))
    assert lost.nodes["frequencies"] == NAMES
    for found, first in ((everybody, 0), (lost.results, 2)):
        chosen = cohort.order(found)[found["components"]["chosen"]]
        genotypes = cohort.genotypes[chosen][:, cohort.node >= first]
        assert min((genotypes > 0).sum(axis=1).min(), (genotypes < 2).sum(axis=1).min()) >= 30
        few = len(everybody["components"]["chosen"]) - len(chosen)
    assert 0 < few < 20


def test_masks_need_three_nodes(views):
    lost = dict.fromkeys(NAMES[:3], ("start", 0))
    with pytest.raises(AnalysisError, match="expected at least 3, because sums are masked"):
        coordinate(views, MASKED, lost)


def test_nodes_that_are_lost_until_masks_hide_nothing_are_named(views):
    nodes = nodes_of(views, MASKED, dict.fromkeys(NAMES[:3], ("masked_sums", 0)))
    coordinator = Coordinator(NetworkRun(MASKED), nodes, Masking())
    with pytest.raises(AnalysisError, match="found FI, MT"):
        asyncio.run(coordinator.play())
    assert [loss.node for loss in coordinator.result.losses] == NAMES[:3]
    assert {loss.reason for loss in coordinator.result.losses} == {"lost at masked_sums"}


def test_an_analysis_without_a_node_says_why(views):
    lost = dict.fromkeys(NAMES, ("sums", 0))
    with pytest.raises(AnalysisError) as ended:
        coordinate(views, CLEAR, lost)
    assert f"at least one, found none ({', '.join(NAMES)}: lost at sums" in str(ended.value)


@pytest.mark.parametrize(
    "strange",
    [
        {"partners": []},  # it lists nobody
        {"task": b"another"},  # it was asked for something else
        {"partners": ["BE", "EE", "FI"]},  # it does not list DE, which lists it
    ],
)
def test_a_node_that_is_no_partner_of_all_others_is_left_out_and_named(views, strange):
    nodes = nodes_of(views, MASKED, {})
    vars(nodes[-1]).update(strange)
    result = asyncio.run(Coordinator(NetworkRun(MASKED), nodes, Masking()).play())
    assert result.nodes["linear"] == NAMES[:4]
    ((loss,),) = [result.losses]
    assert (loss.node, loss.outcome) == ("MT", "refused")
    assert loss.reason.startswith("MT is no partner of ")
    assert loss.reason.endswith("or they are none of it (analyses.partners)")


def test_a_node_that_nobody_lists_is_left_out_and_not_those_that_it_would_accept(views):
    nodes = nodes_of(views, MASKED, {})
    for node in nodes[1:]:
        node.partners = NAMES[1:]
    result = asyncio.run(Coordinator(NetworkRun(MASKED), nodes, Masking()).play())
    assert [loss.reason for loss in result.losses] == [
        "BE is no partner of DE, EE, FI, MT, or they are none of it (analyses.partners)"
    ]


def test_a_node_that_takes_no_state_is_in_the_result_of_its_only_round(views):
    """Without coordinators a node gives its sums, and no state can follow them."""
    nodes = nodes_of(views, CLEAR, {"MT": ("answer", 2)})  # after the last of three rounds
    result = asyncio.run(Coordinator(NetworkRun(CLEAR), nodes).play())
    assert (result.rounds, result.losses) == (3, [])
    assert result.nodes["linear"] == NAMES
