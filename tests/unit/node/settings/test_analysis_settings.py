"""What may run at a node: digests and limits of node.yaml."""

import json
from base64 import b64decode, b64encode

import pytest
import yaml

from rehearsal.errors import InputError
from rehearsal.masked_sums.signing_keys import is_signed
from rehearsal.node.settings.analysis_keys import AnalysisKeys, check_own_key
from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.settings.node_settings import NodeSettings

from ...signing_keys import public_keys

DIGEST = "sha256:" + 64 * "a"
KEY, NETWORK, OWN = public_keys("EE", "network", "FI").values()


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
        "kinship_key": "kinship.key",
        "modes": ["clear"],
        "partners": {"EE": KEY},
        "coordinators": [NETWORK],
    }
    given = {"algorithms": [DIGEST], "analyses": analyses}
    settings = NodeSettings.read(written(tmp_path, **given))
    settings.write(tmp_path)
    again = NodeSettings.read(tmp_path)
    assert again == settings and again.algorithms == (DIGEST,)
    assert (again.analyses.smallest_count, again.analyses.sketches) == (10, True)
    assert (again.analyses.modes, again.analyses.coordinators) == (("clear",), (NETWORK,))
    assert again.analyses.keys(tmp_path).partner_keys == {"EE": b64decode(KEY)}
    assert AnalysisSettings().modes == ("masked",)


def test_keys_may_stand_in_a_file_that_nodes_share(tmp_path):
    accepted = {"partners": {"EE": KEY}, "coordinators": [NETWORK]}
    (tmp_path / "keys.json").write_text(json.dumps(accepted))
    analyses = NodeSettings.read(written(tmp_path, analyses={"keys_file": "keys.json"})).analyses
    assert analyses.keys(tmp_path) == AnalysisKeys({"EE": KEY}, (NETWORK,))
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
        ({"analyses": {"sketches": True}}, "kinship_key: expected the file of the key, .* none"),
        ({"analyses": {"partners": {"": KEY}}}, "partners: expected codes of nodes, without bl"),
        ({"analyses": {"partners": {"E E": KEY}}}, "partners: expected codes of nodes, without"),
        (
            {"analyses": {"partners": {"EE": KEY}, "coordinators": [KEY]}},
            "partners.EE: expected another key than a coordinator's, found the same",
        ),
        (
            {"analyses": {"keys_file": "keys.json", "coordinators": [KEY]}},
            "analyses: expected keys_file, or partners and coordinators, found both",
        ),
    ],
)
def test_wrong_settings_are_named(tmp_path, more, said):
    with pytest.raises(InputError, match=said):
        NodeSettings.read(written(tmp_path, **more))


def forged(key, message):
    """Sign without a private key: with an R that is itself a point of small order, and S = 0."""
    return next((one for one in SMALL if is_signed(key, one + bytes(32), message)), None)


Y8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"
SMALL = [bytes.fromhex(one) for one in ("01" + "00" * 31, "00" * 32, "00" * 31 + "80")]
SMALL += [bytes.fromhex(one + "ff" * 30 + "7f") for one in ("ec", "ed", "ee")]
SMALL += [bytes.fromhex(one + "ff" * 31) for one in ("ec", "ed", "ee")]
SMALL += [bytes.fromhex(Y8 + end) for end in ("7a", "fa")]
Y8_NEGATIVE = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc"
SMALL += [bytes.fromhex(Y8_NEGATIVE + end) for end in ("05", "85")]


@pytest.mark.parametrize("key", [*SMALL, b"A" * 32])
def test_keys_by_which_anybody_can_sign_are_refused(tmp_path, key):
    """Zero bytes, other placeholders, and the points of small order in all their spellings."""
    text = b64encode(key).decode()
    for lists in ({"coordinators": [text]}, {"partners": {"EE": text}}):
        with pytest.raises(InputError, match="a key that somebody holds, found one that anybody"):
            NodeSettings.read(written(tmp_path, analyses=lists))


def test_a_point_of_small_order_signs_without_a_private_key():
    signed = [forged(SMALL[1], str(i).encode()) is not None for i in range(40)]
    assert any(signed)
    assert not any(forged(b64decode(KEY), str(i).encode()) for i in range(40))


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("", 0o600, "keys.json: file: expected a file with partners and coordinators, found an em"),
        (f"coordinators: [{KEY}]", 0o666, "keys.json: permissions: expected a file that only its"),
    ],
)
def test_a_file_of_keys_that_cannot_be_trusted_is_refused(tmp_path, content, mode, said):
    (tmp_path / "keys.json").write_text(content)
    (tmp_path / "keys.json").chmod(mode)
    with pytest.raises(InputError, match=said):
        AnalysisSettings(keys_file="keys.json").keys(tmp_path)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (AnalysisKeys({"FI": KEY}), "node.yaml: partners.FI: expected the key of this node's keys"),
        (AnalysisKeys({"EE": OWN}), "partners.EE: expected the key of somebody else, found the k"),
        (AnalysisKeys({"EE": KEY}, (OWN,)), r"coordinators\[0\]: expected the key of somebody els"),
    ],
)
def test_the_own_key_stands_under_the_own_code(keys, said):
    with pytest.raises(InputError, match=said):
        check_own_key("node.yaml", keys, "FI", b64decode(OWN))
    check_own_key("node.yaml", AnalysisKeys({"FI": OWN, "EE": KEY}), "FI", b64decode(OWN))
