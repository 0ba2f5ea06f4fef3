"""Who may be told of one person by name: that person's own clinician, at the person's own node."""

from __future__ import annotations

from rehearsal.node.access.rights import Rights
from rehearsal.node.access.settings import CLINICAL_CARE, CLINICIAN, AccessedNode
from rehearsal.stores.people_store import PeopleStore
from rehearsal.web.problem import Problem


def own_patient(rights: Rights, node: AccessedNode, people: PeopleStore, identifier: str) -> int:
    """The number of a clinician's own patient.

    The caller is employed as a clinician in the node's country, has a grant that opens the records
    of its people, and asks for clinical care. Raises Problem: 401 or 403 before anybody is
    looked for; 404 for somebody unknown and for somebody who did not permit it, which look alike.
    """
    rights.require_records([node.people_dataset])
    for_care = rights.purpose is not None and rights.purpose.term == CLINICAL_CARE
    if not (for_care and CLINICIAN in rights.roles and node.country_code in rights.countries):
        raise rights.refusal()
    position = people.position(identifier)
    if position is None or position in rights.excluded:
        raise Problem("no such patient at this node", 404)
    return position
