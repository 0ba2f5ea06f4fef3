"""What may run at a node: digests and limits of node.yaml."""

import json
from base64 import b64decode

import pytest
import yaml

from rehearsal.errors import InputError
from rehearsal.node.settings.analysis_keys import AnalysisKeys
from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.settings.node_settings import NodeSettings

from ...signing_keys import public_keys

DIGEST = "sha256:" + 64 * "a"
KEY = public_keys("EE")["EE"]


def written(folder, **more):
    path = NodeSettings.for_country("FI", "Finland").write(folder)
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **more}))
    return folder


def test_nothing_may_run_by_default(tmp_path):
    settings = NodeSettings.read(written(tmp_path))
    assert settings.algorithms == () and settings.analyses == AnalysisSettings()


def test_what_is_written_is_read(tmp_path):
    analyses = {
        "smallest_count": 10,
        "sketches": True,
        "modes": ["clear"],
        "partners": {"EE": KEY},
        "coordinators": [KEY],
    }
    given = {"algorithms": [DIGEST], "analyses": analyses}
    settings = NodeSettings.read(written(tmp_path, **given))
    settings.write(tmp_path)
    again = NodeSettings.read(tmp_path)
    assert again == settings and again.algorithms == (DIGEST,)
    assert (again.analyses.smallest_count, again.analyses.sketches) == (10, True)
    assert (again.analyses.modes, again.analyses.coordinators) == (("clear",), (KEY,))
    assert again.analyses.keys(tmp_path).partner_keys == {"EE": b64decode(KEY)}
    assert AnalysisSettings().modes == ("masked",)


def test_keys_may_stand_in_a_file_that_nodes_share(tmp_path):
    accepted = {"partners": {"EE": KEY}, "coordinators": [KEY]}
    (tmp_path / "keys.json").write_text(json.dumps(accepted))
    analyses = NodeSettings.read(written(tmp_path, analyses={"keys_file": "keys.json"})).analyses
    assert analyses.keys(tmp_path) == AnalysisKeys({"EE": KEY}, (KEY,))
    (tmp_path / "keys.json").write_text(json.dumps({"partners": {"EE": "x"}}))
    with pytest.raises(InputError, match=r"keys.json: partners.EE: expected a public key"):
        analyses.keys(tmp_path)
    (tmp_path / "keys.json").unlink()
    with pytest.raises(InputError, match="expected a file with partners and coordinators"):
        analyses.keys(tmp_path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"algorithms": ["linear"]}, r"algorithms\[0\]: expected sha256: and 64 hexadecimal"),
        ({"algorithms": [DIGEST, DIGEST]}, r"algorithms\[1\]: expected each digest once"),
        ({"algorithms": DIGEST}, "algorithms: expected a list"),
        ({"analyses": {"smallest_count": 1}}, "analyses.smallest_count: expected a whole number"),
        ({"analyses": {"runs": 0}}, "analyses.runs: expected a whole number from 1"),
        ({"analyses": {"cpu_s": "many"}}, "analyses.cpu_s: expected a whole number"),
        ({"analyses": {"kinship_key": 1}}, "analyses.kinship_key: expected a text"),
        ({"analyses": {"colour": 1}}, "analyses.colour: expected one of the keys"),
        ({"analyses": {"significant_bits": 54}}, "analyses.significant_bits: expected a whole"),
        ({"analyses": {"modes": []}}, "analyses.modes: expected at least one of clear, masked"),
        (
            {"analyses": {"modes": ["open"]}},
            r"modes\[0\]: expected one of clear, masked, found 'op",
        ),
        (
            {"analyses": {"modes": ["clear"] * 2}},
            r"modes\[1\]: expected each mode once, found clear",
        ),
        (
            {"analyses": {"partners": {"EE": "x"}}},
            "analyses.partners.EE: expected a public key: 32",
        ),
        ({"analyses": {"partners": {"EE": KEY[:-8]}}}, "partners.EE: expected a public key: 32"),
        ({"analyses": {"partners": [KEY]}}, "analyses.partners: expected a mapping"),
        ({"analyses": {"partners": {"EE": KEY, "SE": KEY}}}, "partners.SE: expected each key once"),
        (
            {"analyses": {"coordinators": [3]}},
            r"coordinators\[0\]: expected a public key: 32 bytes",
        ),
        ({"analyses": {"coordinators": [KEY, KEY]}}, r"coordinators\[1\]: expected each key once"),
        (
            {"analyses": {"keys_file": "keys.json", "coordinators": [KEY]}},
            "analyses: expected keys_file, or partners and coordinators, found both",
        ),
    ],
)
def test_wrong_settings_are_named(tmp_path, more, said):
    with pytest.raises(InputError, match=said):
        NodeSettings.read(written(tmp_path, **more))
