"""What may run at a node: digests and limits of node.yaml."""

import pytest
import yaml

from rehearsal.errors import InputError
from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.settings.node_settings import NodeSettings

DIGEST = "sha256:" + 64 * "a"


def written(folder, **more):
    path = NodeSettings.for_country("FI", "Finland").write(folder)
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **more}))
    return folder


def test_nothing_may_run_by_default(tmp_path):
    settings = NodeSettings.read(written(tmp_path))
    assert settings.algorithms == () and settings.analyses == AnalysisSettings()


def test_what_is_written_is_read(tmp_path):
    given = {"algorithms": [DIGEST], "analyses": {"smallest_count": 10, "sketches": True}}
    settings = NodeSettings.read(written(tmp_path, **given))
    settings.write(tmp_path)
    again = NodeSettings.read(tmp_path)
    assert again == settings and again.algorithms == (DIGEST,)
    assert (again.analyses.smallest_count, again.analyses.sketches) == (10, True)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"algorithms": ["linear"]}, r"algorithms\[0\]: expected sha256: and 64 hexadecimal"),
        ({"algorithms": [DIGEST, DIGEST]}, r"algorithms\[1\]: expected each digest once"),
        ({"algorithms": DIGEST}, "algorithms: expected a list"),
        ({"analyses": {"smallest_count": 1}}, "analyses.smallest_count: expected a whole number"),
        ({"analyses": {"runs": 0}}, "analyses.runs: expected a whole number from 1"),
        ({"analyses": {"cpu_s": "many"}}, "analyses.cpu_s: expected a whole number"),
        ({"analyses": {"colour": 1}}, "analyses.colour: expected one of the keys"),
        ({"analyses": {"significant_bits": 54}}, "analyses.significant_bits: expected a whole"),
    ],
)
def test_wrong_settings_are_named(tmp_path, more, said):
    with pytest.raises(InputError, match=said):
        NodeSettings.read(written(tmp_path, **more))
