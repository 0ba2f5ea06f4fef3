"""What must hold of a run of load, whatever the machine."""

from rehearsal.loadtest.load.run import load_checks

from .sent_requests import sent, step


def failed_checks(*steps):
    return [check["name"] for check in load_checks(steps) if not check["passed"]]


def test_checks_find_what_is_lost_unnamed_or_wrong():
    assert failed_checks(step([sent()])) == []
    assert failed_checks(step([sent()], planned=2)) == ["load: queries without a recorded outcome"]
    unnamed = failed_checks(step([sent(nodes=(27, 0, 0, 0))]))
    assert unnamed == ["load: nodes without a recorded outcome in answers"]
    wrong = failed_checks(step([sent(equal=False)]))
    assert wrong == ["load: answers that differ from the truth"]


def test_lateness_decides_only_at_the_lowest_rate_and_only_beyond_the_deadline():
    slow = step([sent(latency_s=9.0)])
    overloaded = step([sent("late", 10.0)], rate=64.0)
    assert failed_checks(slow, overloaded) == []
    assert len(failed_checks(step([sent(), sent("late", 10.0)]), step([sent()], rate=64.0))) == 1
