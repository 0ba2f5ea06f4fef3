"""Expected numbers of shared segments agree with a closed form."""

import demes
import pytest

from rehearsal.demography.expected_sharing import expected_segments

MORGANS, LEAST = 0.5, 0.02


def two_countries(size: float = 300.0, rate: float = 0.01) -> demes.Graph:
    builder = demes.Builder()
    builder.add_deme("root", epochs=[{"start_size": 5_000, "end_time": 60}])
    for name in ("AT", "DE"):
        growth = {"start_size": size, "end_size": 2 * size, "end_time": 0}
        builder.add_deme(name, ancestors=["root"], epochs=[growth])
    builder.add_migration(demes=["AT", "DE"], rate=rate)
    return builder.resolve()


def test_a_constant_population_has_the_closed_form():
    builder = demes.Builder()
    builder.add_deme("AT", epochs=[{"start_size": 500_000, "end_time": 0}])
    # integral of 2 t exp(-2 t l) / (2 N) = 1 / (4 N l^2), if nearly all meet later
    found = expected_segments(split(builder), ["AT"], LEAST, MORGANS)[0, 0]
    assert found == pytest.approx(4 * MORGANS / (4 * 500_000 * LEAST**2), rel=0.01)


def split(builder: demes.Builder) -> demes.Graph:
    """Give the deme an end of its only epoch far back, so that it is integrated."""
    data = builder.data
    data["demes"][0]["epochs"].insert(0, {"start_size": 500_000, "end_time": 2_000})
    return builder.resolve()


def test_segments_fall_with_migration_and_length():
    near, far = two_countries(rate=0.02), two_countries(rate=0.001)
    names = ["AT", "DE"]
    assert expected_segments(near, names, 0.03)[0, 1] > expected_segments(far, names, 0.03)[0, 1]
    assert (expected_segments(near, names, 0.02) > expected_segments(near, names, 0.03)).all()
