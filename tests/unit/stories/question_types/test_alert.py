"""A subscription: reading the question, judging the alerts."""

import pytest

from rehearsal.errors import InputError
from rehearsal.stories.question_types import alert

from ..questions_by_hand import ARRIVAL, failed, network_answer, question, read


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"profile": {"terms": ["HP:0033141"]}}, "the key arrivals"),
        ({"profile": {"terms": [], "gene": "TLR7"}, "arrivals": {}}, "together"),
        (
            {"profile": {"terms": []}, "arrivals": {}, "restart": "XX"},
            "restart: expected a country of this run",
        ),
    ],
)
def test_an_unusable_question_is_refused_in_one_line(references, keys, complaint):
    with pytest.raises(InputError, match=complaint):
        read(alert, references, **keys)


def alert_reply(**change):
    subscribed = network_answer(
        {"subscription": "s", "nodes": ["ES", "FI"]}, change.pop("states", None)
    )
    one = {"subscription": "s", "node": "FI", "time": "t", "token": "k"}
    found = [{"handle": "third", "seconds": 0.4, "alert": one}]
    return alert.Reply({}, subscribed, **{"arrived": [ARRIVAL], "alerts": found} | change)


ALERT = question("alert", {"arrivals": [ARRIVAL], "within_s": 5})
ALERT_EXPECTED = {"alerts": ["third"], "countries": ["ES", "FI"]}
ALERT_OF = {"subscription": "s", "node": "FI", "time": "t", "token": "k"}


WITHOUT = "not judged: nodes of others without this service"


def test_a_foreign_node_need_not_know_subscriptions_and_nobody_arrives_there():
    """Then it cannot alert about who would have arrived."""
    reply = alert_reply(states={"ES": "answered", "FI": "unknown"}, arrived=[], alerts=[])
    checks = alert.judge(ALERT, ALERT_EXPECTED, reply, ["FI"])
    assert failed(checks) == set()
    assert (checks[0].name, checks[0].observed) == (WITHOUT, ["FI"])
    assert "every country answered" in failed(alert.judge(ALERT, ALERT_EXPECTED, reply))


def test_a_foreign_node_that_is_down_did_not_answer():
    reply = alert_reply(states={"ES": "answered", "FI": "failed"}, arrived=[], alerts=[])
    checks = alert.judge(ALERT, ALERT_EXPECTED, reply, ["FI"])
    assert failed(checks) == {"every country answered"}


def test_a_right_alert_passes():
    assert failed(alert.judge(ALERT, ALERT_EXPECTED, alert_reply())) == set()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"alerts": []}, "patients with an alert"),
        (
            {"alerts": [{"handle": "mild", "seconds": 1, "alert": ALERT_OF}]},
            "patients with an alert",
        ),
        ({"alerts": [{"handle": "third", "seconds": 6, "alert": ALERT_OF}]}, "longest time from"),
        (
            {"alerts": [{"handle": "third", "seconds": 1, "alert": ALERT_OF | {"age": 30}}]},
            "contents of an alert",
        ),
        (
            {
                "alerts": [
                    {
                        "handle": "third",
                        "seconds": 1,
                        "alert": ALERT_OF | {"token": "FI-ARRIVAL-third"},
                    }
                ]
            },
            "identifiers of patients in alerts",
        ),
        ({"again": [{}]}, "further alerts when the same"),
        ({"states": {"ES": "answered", "FI": "failed"}}, "every country answered"),
    ],
)
def test_a_wrong_alert_fails_its_check(change, name):
    wrong = failed(alert.judge(ALERT, ALERT_EXPECTED, alert_reply(**change)))
    assert any(one.startswith(name) for one in wrong), wrong
