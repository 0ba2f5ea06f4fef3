"""Answers to questions for entries: which exist, how many, and a page of their records.

Each dataset answers as finely as the caller's rights allow, protected where they say so, and never
of people whose consent does not permit the request's purpose.

Totals are of the whole answer whatever the page. The total of a request is the number
of DIFFERENT entries: a variant that two datasets hold counts once, while each dataset's
result set has its own count.
"""

from __future__ import annotations

from rehearsal.node.beacon.dataset_choice import choose_datasets, group_datasets
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_answers import answer_people
from rehearsal.node.beacon.people_search import intersection, people_passing
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.result import Result, ResultSet
from rehearsal.node.beacon.variant_answers import answer_variants


def answer(question: Question, node_data: NodeData) -> Result:
    """The answer of every dataset that is asked.

    Raises Problem for what the node cannot answer, or (401, 403) may not.
    """
    question.variants()  # what is asked for twice is refused before a dataset that is not here
    datasets = choose_datasets(question, node_data)
    passing = people_passing(question.request.filters, node_data.people)
    people = intersection(passing, question.path.people, question.rights.permitted)
    answer_group = answer_variants if question.entry_type == "g_variants" else answer_people
    sets: dict[str, ResultSet] = {}
    for group in group_datasets(datasets, question, node_data):
        among = intersection(people, group.members)
        source = node_data.source_of(group.datasets[0])
        found = answer_group(question, among, group, source)
        sets.update((one.dataset, one) for one in found)
    return Result([sets[one.id] for one in node_data.datasets if one.id in sets])
