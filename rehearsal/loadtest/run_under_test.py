"""The files of a finished run that load tests use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.evaluation.suite import read_suite
from rehearsal.model import Query
from rehearsal.truth.expected_answers import ExpectedAnswer, read_expected_answers


@dataclass(frozen=True, slots=True)
class RunUnderTest:
    """The files of a finished run."""

    nodes: Mapping[str, Path]  # folders of the nodes by country
    issuer: Path  # folder of the issuer
    asker: str  # code of the country that sends the queries
    suite: Path  # file of the queries
    truth: Path  # file of the right answers
    coordinator: Path | None = None  # file of the private key that signs in analyses

    def queries(self) -> list[Query]:
        """Read all queries of the suite.

        Raises:
            InputError: The file cannot be used.
        """
        return read_suite(self.suite)

    def expected_answers(self) -> dict[str, dict[str, ExpectedAnswer]]:
        """Read the right answers, by query and country.

        Raises:
            InputError: The file cannot be used.
        """
        return read_expected_answers(self.truth)
