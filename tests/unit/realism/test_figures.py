from rehearsal.realism.figures import FIGURES, save_figures


def test_figures_are_written_and_the_same_again(joined, cohort, known, tmp_path):
    written = []
    for run in ("one", "two"):
        paths = {name: tmp_path / run / f"{name}.svg" for name in FIGURES}
        save_figures(joined, cohort.panel, known, paths)
        written.append({name: path.read_bytes() for name, path in paths.items()})
    assert written[0] == written[1]
    assert all(content.startswith(b"<svg") for content in written[0].values())
    assert b">FI<" in written[0]["map"]
