"""What is no configuration is refused before Snakemake reads it."""

import subprocess
from pathlib import Path

import pytest

from rehearsal.config.overlay_files import main

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "mine.yaml: file: expected keys of the configuration at the top, found nothing"),
        (b"# seed: 3\n", "found nothing"),
        (b"- seed\n", "found ['seed']"),
        (b"seed", "found 'seed'"),
        (b"seed: \xe9\n", "mine.yaml: file: expected a configuration, found an unreadable file"),
        (b"cohort: &a {people: *a}\n", "mine.yaml: line 1: expected valid YAML, found an error"),
        (b"seed: [1\n", "mine.yaml: line 2: expected valid YAML"),
    ],
)
def test_an_overlay_that_is_no_mapping_is_one_line(tmp_path, content, found):
    overlay = tmp_path / "mine.yaml"
    overlay.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["-n", "--configfile", str(overlay), "--config", "seed=3"])
    assert found in str(ended.value)
    assert "\n" not in str(ended.value)


def test_several_overlays_are_all_judged(tmp_path):
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).touch()
    with pytest.raises(SystemExit) as ended:
        main(["--configfile", str(tmp_path / "one.yaml"), str(tmp_path / "two.yaml")])
    assert len(str(ended.value).splitlines()) == 2


def test_an_overlay_of_keys_is_accepted_also_with_a_byte_order_mark(tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_bytes(b"\xef\xbb\xbfseed: 3\n")
    main(["--cores", "2", "--configfile", str(overlay)])
    main([])


def test_make_run_judges_overlays_first():
    command = ["make", "--dry-run", "run", "ARGS=--configfile mine.yaml"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    judged = lines.index("rehearsal.config.overlay_files --configfile mine.yaml")
    assert judged < lines.index("snakemake --cores")
