"""What load tests take from a run that has asked its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.evaluation.suite import read_suite
from rehearsal.model import Query
from rehearsal.truth.expected_answers import ExpectedAnswer, read_expected_answers


@dataclass(frozen=True, slots=True)
class RunUnderTest:
    """The files of a run: its nodes' folders by country, the folder of its issuer, its queries and
    their right answers. ``asker``: the country that asks."""

    nodes: Mapping[str, Path]
    issuer: Path
    asker: str
    suite: Path
    truth: Path

    def queries(self) -> list[Query]:
        """All queries of the suite. Raises InputError."""
        return read_suite(self.suite)

    def expected_answers(self) -> dict[str, dict[str, ExpectedAnswer]]:
        """The right answers by query and country. Raises InputError."""
        return read_expected_answers(self.truth)
