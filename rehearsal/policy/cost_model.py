"""The yearly costs of three designs, from measured quantities, prices and assumptions.

federated   data stay at nodes of countries, and questions go to them
central     a copy of all data is at one centre, and questions stay there
hybrid      as federated, and a centre answers questions about alleles from frequencies

All values may be arrays, one value per draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Costs = dict[str, dict[str, Any]]  # euros a year, by design and part
MANY = 1e12  # questions: enough for an exact slope of costs in their number
DESIGNS = ("federated", "central", "hybrid")


@dataclass(frozen=True, slots=True)
class Quantities:
    """What a run measured."""

    people: int
    countries: int
    questions: int  # of the suite
    bytes_over_borders: float  # of answers to one question, from all nodes but the asker's
    bytes_of_one_answer: float  # of a node, the mean of all, for one question
    network_cpu_s: float  # CPU seconds of the network for one question
    nodes_cpu_s: float  # CPU seconds of all nodes for one question
    single_cpu_s: float  # CPU seconds of one node and a network of it alone, for one question
    single_people: int  # the people of that node
    genome_bytes: float  # of genotypes at rest per person, whole genome
    record_bytes: float  # at rest per person, without genomes
    frequency_bytes: float  # of the stores of variants of all nodes, whole genome
    frequency_share: float  # of the suite's questions that frequencies of alleles answer


def yearly_costs(measured: Quantities, values: Mapping[str, Any], people: int) -> Costs:
    """Compute the costs of one year.

    Genotypes at rest grow with the power ``storage_growth`` of the people, stores of variants with
    ``store_growth``, records and reads in proportion, and CPU time per question with the power
    ``computing_growth``: in the federated design from the people of the run, in the central one
    from those of the node that was measured.

    Args:
        measured: What the run measured.
        values: Prices and assumptions in the units of ``prices.UNITS``.
        people: The number of people.

    Returns:
        Euros a year by design and part.
    """
    grown = people / measured.people
    genomes = measured.people * measured.genome_bytes * grown ** values["storage_growth"]
    genomes += measured.frequency_bytes * grown ** values["store_growth"]
    at_rest = genomes + people * (measured.record_bytes + values["reads"])
    stored = at_rest * values["copies"] * values["storage"]
    growth, second = values["computing_growth"], values["computing"]
    questions = values["questions"]
    federated = {
        "storage": stored,
        "transfer": questions * measured.bytes_over_borders * values["transfer"],
        "computing": questions
        * (measured.network_cpu_s + measured.nodes_cpu_s)
        * grown**growth
        * second,
        "servers": measured.countries * values["node_server"],
        "staff": (measured.countries * values["node_staff"] + values["network_staff"])
        * values["salary"],
        "agreements": 0 * values["agreement"],
    }
    central = {
        "storage": stored + at_rest * values["storage"],  # a country keeps one copy
        "transfer": at_rest * values["renewal"] * values["transfer"]
        + questions * measured.bytes_of_one_answer * values["transfer"],
        "computing": questions
        * measured.single_cpu_s
        * (people / measured.single_people) ** growth
        * second,
        "servers": 1.0 * values["centre_server"],
        "staff": (measured.countries * values["delivery_staff"] + values["centre_staff"])
        * values["salary"],
        "agreements": measured.countries * values["agreement"],
    }
    return {
        "federated": federated,
        "central": central,
        "hybrid": _hybrid(measured, values, grown, federated, central),
    }


def _hybrid(
    measured: Quantities,
    values: Mapping[str, Any],
    grown: float,
    federated: Mapping[str, Any],
    central: Mapping[str, Any],
) -> dict[str, Any]:
    """Add a centre with frequencies, which takes its share of the questions from the nodes."""
    share = measured.frequency_share
    frequencies = measured.frequency_bytes * grown ** values["store_growth"]
    answers = values["questions"] * measured.bytes_of_one_answer * values["transfer"]
    delivered = frequencies * values["renewal"] * values["transfer"]
    return {
        "storage": federated["storage"] + frequencies * values["copies"] * values["storage"],
        "transfer": (1 - share) * federated["transfer"] + share * answers + delivered,
        "computing": (1 - share) * federated["computing"] + share * central["computing"],
        "servers": federated["servers"] + 1.0 * values["node_server"],
        "staff": federated["staff"] + values["summary_staff"] * values["salary"],
        "agreements": federated["agreements"],
    }


def total(parts: Mapping[str, Any]) -> Any:
    """Add up the parts of a design.

    Args:
        parts: Euros a year by part.
    """
    return sum(parts.values())


def break_even(measured: Quantities, values: Mapping[str, Any], people: int) -> Any:
    """Find the number of questions a year at which federated and central cost the same.

    Costs are linear in the number of questions.

    Args:
        measured: What the run measured.
        values: Prices and assumptions.
        people: The number of people.

    Returns:
        The number, or one per draw; nan if one design is cheaper for any number of questions.
    """
    gap_at = [
        total(costs["federated"]) - total(costs["central"])
        for number in (0.0, MANY)
        for costs in (yearly_costs(measured, {**values, "questions": number}, people),)
    ]
    slope = np.asarray((gap_at[1] - gap_at[0]) / MANY)
    number = -gap_at[0] / np.where(slope == 0, np.nan, slope)
    return np.where(number < 0, np.nan, number)
