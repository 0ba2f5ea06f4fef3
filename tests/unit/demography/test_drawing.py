"""The drawing: every deme named, the same bytes every time."""

import demes

from rehearsal.demography.drawing import draw_model


def model(names=("FI", "SE"), extinct_end=50.0) -> demes.Graph:
    builder = demes.Builder()
    builder.add_deme("root", epochs=[{"start_size": 1000, "end_time": 100}])
    builder.add_deme("old", ancestors=["root"], epochs=[{"start_size": 50, "end_time": 50}])
    builder.add_deme(
        "side", ancestors=["root"], epochs=[{"start_size": 9, "end_time": extinct_end}]
    )
    for name in names:
        builder.add_deme(name, ancestors=["old"], epochs=[{"start_size": 500, "end_size": 10**7}])
    builder.add_migration(demes=list(names[:2]), rate=1e-3)
    return builder.resolve()


def test_same_model_same_bytes(tmp_path):
    draw_model(model(), tmp_path / "one.svg")
    draw_model(model(), tmp_path / "two.svg")
    one = (tmp_path / "one.svg").read_bytes()
    assert one == (tmp_path / "two.svg").read_bytes()
    assert b"<svg" in one and b"dc:date" not in one


def test_every_deme_is_named(tmp_path):
    draw_model(model(), tmp_path / "model.svg")
    text = (tmp_path / "model.svg").read_text()
    assert all(f"<!-- {name} -->" in text for name in ("FI", "SE", "old", "root"))


def test_many_demes_and_an_extinct_neighbour_can_be_drawn(tmp_path):
    names = [f"C{i}" for i in range(30)]
    draw_model(model(names, extinct_end=10), tmp_path / "model.svg")
    assert "<!-- C29 -->" in (tmp_path / "model.svg").read_text()
