"""How a job says how far it is."""

import pytest

from rehearsal import logs
from rehearsal.logs import Progress, in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (99, "99 s"), (120, "2 min"), (5400, "90 min"), (9000, "2.5 h")],
)
def test_a_duration_is_told_in_the_unit_that_suits_it(seconds, words):
    assert in_words(seconds) == words


def test_a_long_job_says_now_and_then_how_much_is_done_and_left(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    progress = Progress(1000, "sites")
    for _ in range(5):
        now[0] += 4
        progress.step(50)
    assert capsys.readouterr().out == "150 of 1,000 sites, 12 per s, about 68 s left\n"


def test_progress_can_be_told_elsewhere(monkeypatch, capsys):
    heard = []
    with logs.progress_told_to(heard.append):
        Progress(10, "sites", every_s=0).step(5)
        logs.tell_progress("halfway")
    logs.tell_progress("back")
    assert heard[0].startswith("5 of 10 sites, ") and heard[1:] == ["halfway"]
    assert capsys.readouterr().out == "back\n"
