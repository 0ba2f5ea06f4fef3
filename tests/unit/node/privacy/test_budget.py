"""Privacy budgets that survive a restart."""

import stat

import pytest
from rehearsal.node.privacy.budget import Budget
from rehearsal.node.privacy.protected_answers import protect_boolean, protect_count
from rehearsal.node.privacy.question_keys import question_key

from rehearsal.errors import InputError

from .conftest import PEOPLE, WIDE, people, protected

NAMES = [f"AT-{number:06d}" for number in range(PEOPLE)]


def test_budgets_survive_a_restart_and_more_people(tmp_path):
    path = tmp_path / "budget.sqlite"
    store = Budget(NAMES, path)
    rules = protected(WIDE, budget=store)
    told = [protect_boolean(rules, "u", question_key(str(i)), people(20), 0.1) for i in range(9)]
    protect_count(rules, "u", question_key("one"), people(60), 0.6)
    before = [store.spent(i, "u") for i in range(PEOPLE + 1)]
    assert before[1] > 0 and before[PEOPLE] > 0
    store.close()
    # the node was rebuilt: one person was added in front, one left
    later = Budget(["AT-999999", *NAMES[1:]], path)
    assert [later.spent(i, "u") for i in range(1, PEOPLE + 1)] == before[1:]
    assert later.spent(0, "u") == 0 and later.spent(1) == before[1]
    rules = protected(WIDE, budget=later)
    assert told == [
        protect_boolean(rules, "u", question_key(str(i)), people(20), 0.1) for i in range(9)
    ]
    later.close()


def test_the_file_is_private_and_contains_no_user_names(tmp_path):
    path = tmp_path / "budget.sqlite"
    store = Budget(NAMES, path)
    protect_count(protected(budget=store), "ann@example.org", question_key("one"), people(60), 0.6)
    store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"ann" not in path.read_bytes()


def test_a_full_ledger_keeps_all_rows_and_answers_no_priced_question():
    store = Budget(NAMES, maximum=2)
    rules = protected(WIDE, budget=store)
    counts = [
        protect_count(rules, "u", question_key(str(i)), people(60), 0.6).count for i in range(3)
    ]
    assert counts[0] is not None and counts[2] is None
    assert protect_count(rules, "v", question_key("0"), people(60), 0.6).count is None
    assert protect_count(rules, "u", question_key("0"), people(60), 0.6).count == counts[0]


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "budget.sqlite"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(InputError, match=r"budget\.sqlite: file"):
        Budget(NAMES, path)
