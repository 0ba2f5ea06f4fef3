"""Latencies survive being written as an HdrHistogram log."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.loadtest.load.histograms import HIGHEST_US, read_log, write_log

LATENCIES = st.lists(
    st.tuples(st.floats(0, 30), st.floats(1e-6, HIGHEST_US / 1e6)), min_size=1, max_size=50
)


@given(LATENCIES)
@settings(max_examples=25, deadline=None)
def test_a_log_gives_back_every_latency_to_three_digits(tmp_path_factory, latencies):
    path = tmp_path_factory.mktemp("log") / "one.hlog"
    write_log(path, latencies, 1.7e9, "a test")
    together = read_log(path)
    assert together.get_total_count() == len(latencies)
    slowest_us = max(latency_s for _, latency_s in latencies) * 1e6
    assert abs(together.get_max_value() - slowest_us) <= slowest_us / 500 + 1


def test_a_log_has_an_interval_a_second_and_says_what_it_holds(tmp_path):
    path = tmp_path / "one.hlog"
    write_log(path, [(0.1, 0.5), (0.9, 0.2), (2.5, 0.1)], 1.7e9, "8 a second")
    lines = path.read_text().splitlines()
    assert lines[0] == "#[8 a second; latencies in microseconds]"
    assert lines[1] == "#[Histogram log format version 1.2]"
    intervals = [line.split(",")[:2] for line in lines if line[0].isdigit()]
    assert [[float(cell) for cell in interval] for interval in intervals] == [[0, 1], [2, 1]]


def test_what_no_histogram_can_hold_is_written_as_the_longest(tmp_path):
    write_log(tmp_path / "one.hlog", [(0, 1000.0)], 1.7e9, "a test")
    assert read_log(tmp_path / "one.hlog").get_max_value() >= HIGHEST_US * 0.99


def test_a_log_of_nothing_is_read_as_nothing(tmp_path):
    write_log(tmp_path / "one.hlog", [], 1.7e9, "a test")
    assert read_log(tmp_path / "one.hlog").get_total_count() == 0
