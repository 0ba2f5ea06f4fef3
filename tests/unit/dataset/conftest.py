"""One small dataset, made once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.dataset.build import make_dataset
from rehearsal.dataset.plan import DatasetOrder, make_plan

ORDER = DatasetOrder(
    people={"FI": 20, "ES": 12},
    regions=["chr22:20000000-20100000"],
    formats=["vcf", "phenopackets"],
    plant={"BRCA1:c.5266dup": 3},
    traits=["ldl", "coronary_artery_disease"],
    pooled=False,
    recipients=[],
    reference=None,
    seed=7,
)


@pytest.fixture(scope="session")
def order() -> Callable[..., DatasetOrder]:
    """The usual order but for changes."""
    return lambda **changes: replace(ORDER, **changes)


@pytest.fixture(scope="session")
def made() -> Callable[..., Path]:
    """Makes a dataset in a folder, of the usual order but for changes."""

    def make(folder: Path, **changes) -> Path:
        make_dataset(make_plan(replace(ORDER, **changes), folder), folder, lambda stage: None)
        return folder

    return make


@pytest.fixture(scope="session")
def dataset(tmp_path_factory, made) -> Path:
    return made(tmp_path_factory.mktemp("dataset") / "OUT")
