"""Subscribing, waiting for alerts and acknowledging them."""

import asyncio
import sqlite3

import pytest

from rehearsal.node.access.settings import Veto
from rehearsal.node.access.withdrawals import add_withdrawals
from rehearsal.node.alerts.alert_store import FILE_NAME, AlertStore

from ...virtual_time import run_in_virtual_time
from .conftest import PATIENT, PROFILE, SEVERE


def test_an_acknowledged_alert_is_not_listed_again(node):
    node.subscribe()
    node.monitor.process(PATIENT)
    (alert,) = node.alerts()
    acknowledge = {"tokens": [alert["token"], "nonsense"]}
    assert node.ask("/alerts/acknowledged", acknowledge, "other")[1] == {"acknowledged": 0}
    assert node.ask("/alerts/acknowledged", acknowledge)[1] == {"acknowledged": 1}
    assert node.alerts() == []
    assert node.monitor.process(PATIENT) == []


def test_subscriptions_and_alerts_survive_a_restart(node):
    subscription = node.subscribe()
    node.start()
    _, said = node.ask("/subscriptions")
    assert [one["subscription"] for one in said["subscriptions"]] == [subscription]
    node.monitor.process(PATIENT)
    before = node.alerts()
    node.start()
    assert node.alerts() == before
    stored = sqlite3.connect(node.folder / FILE_NAME).execute("SELECT caller FROM subscriptions")
    assert "eyJ" not in stored.fetchone()[0]  # visas as data, not a token that could be used


def test_the_same_subscription_twice_is_one(node):
    assert node.subscribe() == node.subscribe(terms=[SEVERE, SEVERE])
    node.monitor.process(PATIENT)
    assert len(node.alerts()) == 1


def test_alerts_are_the_subscribers_own(node):
    node.subscribe()
    node.monitor.process(PATIENT)
    assert node.alerts("other") == []
    assert node.ask("/alerts", who=None)[0] == 401


def test_there_are_no_alerts_after_unsubscribing(node):
    subscription = node.subscribe()
    path = f"/subscriptions/{subscription}"
    assert node.ask(path, who="other", method="DELETE")[0] == 404
    assert node.ask(path, method="DELETE")[0] == 200
    assert node.monitor.process(PATIENT) == []
    assert node.alerts() == []


def test_a_subscription_requires_the_right_to_records(node):
    for who, status in (("registered", 403), (None, 401)):
        assert node.ask("/subscriptions", {"profile": PROFILE}, who, purpose=None)[0] == status


def test_waiting_ends_with_the_first_alert(node):
    node.subscribe()

    async def wait_and_admit():
        waiting = asyncio.ensure_future(node.asks("/alerts", parameters="waitS=20"))
        await asyncio.sleep(10)
        assert not waiting.done()
        node.monitor.process(PATIENT)
        return *await waiting, asyncio.get_running_loop().time()

    status, said, ended_s = run_in_virtual_time(wait_and_admit())
    assert (status, len(said["alerts"]), ended_s) == (200, 1, 10)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"sex": "m"}, "profile.sex: expected one of female, male, found 'm'"),
        (
            {"age": {"from": 50, "to": 18}},
            "profile.age: expected from at most to, found from 50 and to 18",
        ),
        ({"age": 30}, "profile.age: expected an object, found 30"),
        (
            {"terms": ["severe"]},
            "profile.terms[0]: expected a term like ICD10:I25.1, found 'severe'",
        ),
        (
            {"gene": "ABC1"},
            "profile.gene: expected a gene of this node (BRCA1, TLR7), found 'ABC1'",
        ),
        (
            {"maximumFrequency": None},
            "profile: expected gene and maximumFrequency together, found only one",
        ),
        (
            {"maximumFrequency": 2},
            "profile.maximumFrequency: expected a number of at most 1, found 2",
        ),
        ({"name": "Pablo"}, "profile: expected one of the keys sex, age, terms, gene,"),
    ],
)
def test_an_invalid_profile_is_refused(node, change, complaint):
    status, said = node.ask("/subscriptions", {"profile": PROFILE | change})
    assert status == 400
    assert said.startswith(complaint), said


def test_an_alert_about_somebody_who_withdrew_does_not_leave(node):
    node.subscribe()
    node.monitor.process(PATIENT)
    assert len(node.alerts()) == 1
    add_withdrawals(node.folder, [PATIENT.person])
    node.start()
    assert node.alerts() == []


def test_a_patient_who_withdrew_before_arriving_raises_no_alert(node):
    node.subscribe()
    add_withdrawals(node.folder, [PATIENT.person])
    node.start()
    assert node.monitor.process(PATIENT) == []
    assert node.log()[-1]["rule"] == "withheld: consent: withdrawn"


def test_alerts_are_not_for_a_subscriber_who_was_vetoed_since(node):
    node.subscribe()
    node.monitor.process(PATIENT)
    node.start(vetoes=(Veto("not to ES", country="ES"),))
    assert node.alerts() == []
    node.start()
    assert len(node.alerts()) == 1


def test_another_process_of_the_folder_knows_the_subscription(node):
    other = AlertStore(node.folder / FILE_NAME)
    identifier = node.subscribe()
    assert identifier in other.subscriptions
    other.unsubscribe(identifier)
    assert node.ask("/subscriptions")[1]["subscriptions"] == []
