"""The knee of made-up servers whose capacity is known."""

import pytest

from rehearsal.loadtest.load.saturation import Knee, find_knee


class Server:
    """Answers in 5 ms / (1 - use) at p99, as a queue does; misses above a second."""

    def __init__(self, capacity, stumbles=()):
        self.capacity, self.stumbles, self.asked = capacity, set(stumbles), []

    def __call__(self, rate):
        self.asked.append(rate)
        if len(self.asked) in self.stumbles:
            return False
        return rate < self.capacity and 0.005 / (1 - rate / self.capacity) <= 1


@pytest.mark.parametrize("capacity", [9, 61.7, 150, 1000, 3999])
def test_the_knee_is_found_within_a_tenth(capacity):
    knee = find_knee(Server(capacity), 8, 4096)
    true = capacity * (1 - 0.005)
    assert knee.held_per_s <= true < knee.missed_per_s <= 1.1 * knee.held_per_s


def test_a_ramp_rises_twofold_and_then_halves_the_gap():
    server = Server(50)
    find_knee(server, 8, 4096, precision=1.2)
    assert server.asked[:4] == [8, 16, 32, 64]
    assert server.asked[4] == pytest.approx((32 * 64) ** 0.5)


def test_a_server_that_stumbles_once_is_asked_again():
    assert find_knee(Server(1000, stumbles=[2]), 8, 4096).held_per_s < 16
    assert find_knee(Server(1000, stumbles=[2]), 8, 4096, tries=2).held_per_s > 900


def test_a_server_that_misses_at_once_has_no_knee():
    assert find_knee(Server(1), 8, 4096) == Knee(None, 8)


def test_a_server_that_never_misses_has_its_knee_above_the_highest_rate():
    server = Server(1e9)
    assert find_knee(server, 8, 100) == Knee(100, None)
    assert server.asked == [8, 16, 32, 64, 100]


def test_a_ramp_that_cannot_rise_is_refused():
    with pytest.raises(ValueError, match="a ramp rises"):
        find_knee(Server(10), 8, 4)
