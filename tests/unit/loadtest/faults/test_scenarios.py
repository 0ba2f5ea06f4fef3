"""The scenarios as data."""

from rehearsal.loadtest.faults.fault_injection import DAMAGES, FAULTS
from rehearsal.loadtest.faults.faulty_proxy import RESPONSES
from rehearsal.loadtest.faults.scenarios import SCENARIOS, scenarios_of

BY_NAME = {one.name: one for one in SCENARIOS}


def test_scenarios_are_complete_and_name_faults_that_there_are():
    assert {one.fault for one in SCENARIOS} == set(FAULTS)
    assert len(BY_NAME) == len(SCENARIOS)
    misbehaviours = {one.options["misbehaviour"] for one in SCENARIOS if one.fault == "misbehave"}
    assert misbehaviours == set(RESPONSES)
    damages = {one.options["damage"] for one in SCENARIOS if one.fault == "damage"}
    assert damages == set(DAMAGES)
    short, full = ({one.name for one in scenarios_of(mode)} for mode in ("short", "full"))
    assert short < full == set(BY_NAME)
