"""The ledger of what was told."""

import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.errors import InputError
from rehearsal.node.privacy.ledger import BudgetError, Ledger, LedgerError
from rehearsal.node.privacy.protection import PUBLIC, Protection

from .conftest import SECRET

PRICE = 0.001
TEN = replace(PUBLIC, budget=10 * PRICE, caller_share=1.0)


def key(number):
    return number.to_bytes(32, "big")


def pay(ledger, number, caller="one", protection=TEN, tier="public"):
    return ledger.pay(tier, caller, key(number), PRICE, protection, lambda: number)


def paid(ledger, numbers, **options):
    """Return the numbers of the questions that were answered."""
    found = []
    for number in numbers:
        try:
            found.append(pay(ledger, number, **options))
        except BudgetError:
            continue
    return found


def test_a_budget_pays_so_many_answers_and_no_more():
    ledger = Ledger("r1", SECRET)
    assert paid(ledger, range(30)) == list(range(10))
    assert ledger.spent("public") == pytest.approx(10 * PRICE)


def test_a_question_is_paid_once_for_all_callers():
    ledger = Ledger("r1", SECRET)
    assert pay(ledger, 1) == 1
    again = ledger.pay("public", "another", key(1), PRICE, TEN, lambda: pytest.fail("computed"))
    assert again == 1
    assert ledger.spent("public") == PRICE
    assert ledger.spent("public", "another") == 0


def test_answers_that_were_paid_remain_when_the_budget_is_spent(tmp_path):
    ledger = Ledger("r1", SECRET, tmp_path / "l")
    paid(ledger, range(30))
    assert paid(ledger, [3, 40]) == [3]
    assert paid(Ledger("r1", SECRET, tmp_path / "l"), [3, 40]) == [3]


def test_one_caller_can_spend_a_share_and_at_least_one_answer():
    ledger = Ledger("r1", SECRET)
    protection = replace(TEN, caller_share=0.3)
    assert paid(ledger, range(10), caller="one", protection=protection) == [0, 1, 2]
    assert paid(ledger, range(10), caller="other", protection=protection) == [0, 1, 2, 3, 4, 5]
    scant = replace(TEN, caller_share=0.01)
    assert paid(ledger, range(20, 30), caller="third", protection=scant) == [20]


def test_a_larger_budget_pays_for_more_although_the_smaller_one_was_spent():
    ledger = Ledger("r1", SECRET)
    assert paid(ledger, range(30)) == list(range(10))
    larger = replace(TEN, budget=12 * PRICE)
    assert paid(ledger, range(10, 30), protection=larger) == [10, 11]


def test_tiers_have_budgets_of_their_own():
    ledger = Ledger("r1", SECRET)
    paid(ledger, range(30))
    assert paid(ledger, range(5), tier="registered") == [0, 1, 2, 3, 4]


def test_a_budget_lives_as_long_as_the_data_release(tmp_path):
    paid(Ledger("r1", SECRET, tmp_path / "l"), range(30))
    restarted = Ledger("r1", SECRET, tmp_path / "l")
    assert paid(restarted, range(50, 60)) == []
    assert restarted.spent("public") == pytest.approx(10 * PRICE)
    assert paid(Ledger("r2", SECRET, tmp_path / "l"), range(50, 53)) == [50, 51, 52]


def test_the_file_holds_neither_callers_nor_questions_and_is_for_its_owner_only(tmp_path):
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger("r1", SECRET, path)
    pay(ledger, 1, caller="192.0.2.77")
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert b"192.0.2.77" not in file.read_bytes()


SPEND = """
import sys
from dataclasses import replace
from rehearsal.node.privacy.ledger import BudgetError, Ledger
from rehearsal.node.privacy.protection import PUBLIC

path, first = sys.argv[1], int(sys.argv[2])
ledger = Ledger("r1", bytes(range(32)), path)
protection = replace(PUBLIC, budget=0.01, caller_share=1.0)
for number in range(first, first + 40):
    try:
        question = number.to_bytes(32, "big")
        print(ledger.pay("public", "one", question, 0.001, protection, lambda: number))
    except BudgetError:
        pass
"""


def test_several_processes_spend_one_budget_once(tmp_path):
    path = tmp_path / "ledger.sqlite"
    workers = [
        subprocess.Popen([sys.executable, "-c", SPEND, path, str(100 * i)], stdout=subprocess.PIPE)
        for i in range(3)
    ]
    answered = [line for worker in workers for line in worker.communicate(timeout=60)[0].split()]
    assert len(answered) == 10
    assert Ledger("r1", SECRET, path).spent("public") == pytest.approx(10 * PRICE)


def test_a_ledger_that_cannot_be_written_answers_nothing(tmp_path):
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger("r1", SECRET, path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # another process holds the file
    with pytest.raises(LedgerError, match="locked"):
        pay(ledger, 1)
    other.execute("ROLLBACK")
    assert pay(ledger, 1) == 1


def test_an_answer_that_fails_costs_nothing():
    ledger = Ledger("r1", SECRET)
    with pytest.raises(ZeroDivisionError):
        ledger.pay("public", "one", key(1), PRICE, TEN, lambda: 1 // 0)
    assert ledger.spent("public") == 0
    assert pay(ledger, 1) == 1


@pytest.mark.parametrize("content", [b"not SQLite at all, but long enough to be read" * 30])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InputError, match="privacy budgets"):
        Ledger("r1", SECRET, path)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc")), max_size=60),
    st.floats(0.05, 1.0),
)
def test_no_history_spends_more_than_the_budget_or_a_callers_share(history, share):
    ledger = Ledger("r1", SECRET)
    protection = Protection(budget=10 * PRICE, caller_share=share)
    for number, caller in history:
        paid(ledger, [number], caller=caller, protection=protection)
    assert ledger.spent("public") <= 10 * PRICE * (1 + 1e-6)
    for caller in "abc":
        limit = max(10 * PRICE * share, PRICE)
        assert ledger.spent("public", caller) <= limit * (1 + 1e-6)


def test_a_program_that_reads_a_ledger_opened_twice_loses_no_charge(tmp_path):
    """As after changed settings. The last connection to a file removes its -wal file."""
    path = tmp_path / "ledger.sqlite"
    before = Ledger("r1", SECRET, path)
    pay(before, 1)
    serving = Ledger("r1", SECRET, path)
    before.close()
    read = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM spent')"
    subprocess.run([sys.executable, "-c", read, str(path)], check=True)
    pay(serving, 2)
    assert Ledger("r1", SECRET, path).spent("public") == pytest.approx(2 * PRICE)
