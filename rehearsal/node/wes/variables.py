"""The variables of people that an algorithm may ask a node for."""

from __future__ import annotations

from rehearsal.stores.people_store import ONSET, PeopleStore


def known_variables(people: PeopleStore) -> set[str]:
    """List what an algorithm may ask about the people of a node, beside sex and age.

    Args:
        people: The node's people.

    Returns:
        Fields with numbers, and terms of diseases, also of those above them.
    """
    numbers = {field for field in people.numbers if not field.startswith(ONSET)}
    diseases = {term.id for term in people.terms.values() if term.kind == "disease"}
    above = {term for term in people.ancestors if diseases & set(people.under(term))}
    return {"sex", *numbers, *diseases, *above}
