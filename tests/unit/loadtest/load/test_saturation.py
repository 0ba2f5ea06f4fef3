"""The saturation of made-up servers whose capacity is known."""

import pytest

from rehearsal.loadtest.load.saturation import Saturation, find_saturation


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
def test_saturation_is_found_within_a_tenth(capacity):
    saturation = find_saturation(Server(capacity), 8, 4096)
    true = capacity * (1 - 0.005)
    assert saturation.held_per_s <= true < saturation.missed_per_s <= 1.1 * saturation.held_per_s


def test_a_ramp_rises_twofold_and_then_halves_the_gap():
    server = Server(50)
    find_saturation(server, 8, 4096, precision=1.2)
    assert server.asked[:4] == [8, 16, 32, 64]
    assert server.asked[4] == pytest.approx((32 * 64) ** 0.5)


def test_a_server_that_stumbles_once_is_asked_again():
    assert find_saturation(Server(1000, stumbles=[2]), 8, 4096).held_per_s < 16
    assert find_saturation(Server(1000, stumbles=[2]), 8, 4096, tries=2).held_per_s > 900


def test_a_server_that_misses_at_once_holds_no_rate():
    assert find_saturation(Server(1), 8, 4096) == Saturation(None, 8)


def test_a_server_that_never_misses_saturates_above_the_highest_rate():
    server = Server(1e9)
    assert find_saturation(server, 8, 100) == Saturation(100, None)
    assert server.asked == [8, 16, 32, 64, 100]


def test_a_ramp_that_cannot_rise_is_refused():
    with pytest.raises(ValueError, match="ramp: expected 0 < first rate <= highest rate"):
        find_saturation(Server(10), 8, 4)
