"""All bodies of a process share one budget of memory, and each has so many pieces and bytes."""

import pytest

from rehearsal.web.request_bodies import (
    MAX_DROPPED,
    MAX_DROPPED_PIECES,
    MAX_PIECES,
    MAX_RECEIVED,
    BodyBudget,
    RequestBodies,
)


class Connection:
    """A connection that only has bodies."""

    def __init__(self, budget):
        self.bodies, self.is_closed = RequestBodies(budget, self), False

    def drop(self):
        self.is_closed = True
        self.bodies.forget()

    def send(self, size):
        self.bodies.begin()
        self.bodies.add(size, is_needed=True)
        return self


@pytest.fixture
def budget():
    return BodyBudget(1000)


def test_the_body_that_has_waited_longest_makes_room(budget):
    first, second, third = (Connection(budget).send(400) for _ in range(3))
    assert [one.is_closed for one in (first, second, third)] == [True, False, False]
    assert budget.total == 800


def test_a_body_that_is_complete_counts_until_its_answer_and_is_not_dropped(budget):
    complete = Connection(budget).send(900)
    complete.bodies.complete()
    with pytest.raises(ValueError, match="the body: expected memory for it, found none"):
        Connection(budget).send(200)
    assert (complete.is_closed, budget.total) == (False, 900)
    complete.bodies.answered()
    assert not Connection(budget).send(1000).is_closed


def test_a_refusal_before_the_end_of_a_body_frees_its_memory(budget):
    early = Connection(budget).send(900)
    early.bodies.answered()
    early.bodies.add(5000, is_needed=False)
    assert (early.is_closed, budget.total) == (False, 0)


def test_a_closed_connection_takes_no_memory(budget):
    one = Connection(budget).send(300)
    one.bodies.complete()
    one.send(300)  # pipelined
    assert budget.total == 600
    one.drop()
    one.bodies.answered()
    assert budget.total == 0


@pytest.mark.parametrize(("is_needed", "most"), [(True, MAX_PIECES), (False, MAX_DROPPED_PIECES)])
def test_a_body_has_so_many_pieces(budget, is_needed, most):
    one = Connection(budget)
    one.bodies.begin()
    for _ in range(most):
        one.bodies.add(0, is_needed=is_needed)
    with pytest.raises(ValueError, match=f"expected at most {most} pieces, found more"):
        one.bodies.add(0, is_needed=is_needed)
    assert one.is_closed


@pytest.mark.parametrize(("is_needed", "most"), [(True, MAX_RECEIVED), (False, MAX_DROPPED)])
def test_a_body_has_so_many_bytes_with_its_framing(budget, is_needed, most):
    one = Connection(budget).send(0)
    assert not one.bodies.receive(most, is_needed=is_needed)
    assert one.bodies.receive(1, is_needed=is_needed)
