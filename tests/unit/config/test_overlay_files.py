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
        (b'{"seed": 1, "seed": 2}', "mine.yaml: file: expected each key once, found the key seed"),
        (
            b'{"a":' * 10_000,
            "mine.yaml: file: expected valid YAML, found an error (values are nested",
        ),
        (b"day: 2026-13-13", "mine.yaml: file: expected valid YAML, found an error (month must be"),
    ],
)
def test_an_overlay_that_is_no_mapping_is_one_line(tmp_path, content, found):
    overlay = tmp_path / "mine.yaml"
    overlay.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["-n", "--configfile", str(overlay), "--config", "seed=3"])
    assert found in str(ended.value)
    assert "\n" not in str(ended.value)


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        (
            "cohort.people_per_country=5",
            "cohort.people_per_country: expected keys in braces below their section: "
            "cohort='{people_per_country: 5}', found a key with points",
        ),
        ("bench.load.users=[1]", "bench='{load: {users: [1]}}'"),
        ("seed", "'seed': expected key=value, found no ="),
        ("7=seed", "7: expected a key of the configuration, found '7'"),
        ("a.=1", "a.: expected a key of the configuration, found 'a.'"),
        ("results=#1", "results='\"#1\"', because # begins a comment"),
    ],
)
def test_a_key_that_snakemake_does_not_take_is_one_line(pair, line):
    with pytest.raises(SystemExit) as ended:
        main(["-n", "--config", "seed=3", pair, "--cores", "2"])
    assert str(ended.value).startswith("the command line (--config): ")
    assert line in str(ended.value)
    assert "\n" not in str(ended.value)


def test_keys_and_overlays_are_judged_together(tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(["-C", "a.b=1", "c.d=2", "--configfile", str(tmp_path / "mine.yaml")])
    assert [line.split(":")[0] for line in str(ended.value).splitlines()] == [
        str(tmp_path / "mine.yaml"),
        *["the command line (--config)"] * 2,
    ]
    main(["-C", "seed=3", "network={asker: FI}", "results=a=b", "bench="])


def test_a_cache_that_snakemake_cannot_write_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    with pytest.raises(SystemExit) as ended:
        main(["-n"])
    assert str(ended.value) == (
        f"{tmp_path}/file/.cache/snakemake: folder: expected one in which Snakemake can keep its "
        "cache (XDG_CACHE_HOME names another), found one that cannot be written"
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    main(["-n"])


def test_json_with_tabs_is_a_configuration_as_for_snakemake(tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text('{\n\t"seed": 3}\n')
    main(["--configfile", str(overlay)])


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
