"""Questions, and a network's answers to them, written by hand."""

from rehearsal.model import Answer
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.story_types import Asker, Question

CARE = "DUO:0000043"
ASKER = Asker("her doctor", "FI", "clinician", "controlled", CARE)
ARRIVAL = {
    "handle": "third",
    "individual": "FI-ARRIVAL-third",
    "country": "FI",
    "sex": "male",
    "age": 30,
    "terms": ["HP:0033141"],
    "variants": [["chrX", 120, "A", "G"]],
    "consent": [CARE],
}


def question(kind, parameters):
    return Question("q", "?", kind, ASKER, "anna", parameters, ("story.yaml", "line 1"))


def read(question_type, references, **keys):
    entry = Entry("story.yaml", "questions[0]", {"about": "anna", **keys})
    own = {name: entry.child(name) for name in keys}
    return question_type.read(entry, own, references)


def network_answer(response, states=None):
    """An answer of two nodes; ``states`` by code, ``unknown`` where a node lacks the path."""
    nodes = [
        {"node": code, "state": state, "httpStatus": 200, "latencyMs": 1.0}
        if state != "unknown"
        else {"node": code, "state": "refused", "httpStatus": 404, "latencyMs": 1.0}
        for code, state in (states or {"ES": "answered", "FI": "answered"}).items()
    ]
    body = {"response": response, "info": {"nodes": nodes}}
    return Answer("", "network", "answered", 200, body, 0.0, 0)


def failed(checks):
    """Names of the checks that fail."""
    return {check.name for check in checks if not check.passed}
