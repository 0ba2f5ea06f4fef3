"""Access to one identified person: by that patient's own clinician, at the patient's own node."""

from __future__ import annotations

from rehearsal.node.access.rights import Rights
from rehearsal.node.access.settings import CLINICAL_CARE, CLINICIAN, AccessedNode
from rehearsal.stores.people_store import PeopleStore
from rehearsal.web.problem import Problem


def own_patient(rights: Rights, node: AccessedNode, people: PeopleStore, identifier: str) -> int:
    """Find a patient for the patient's own clinician.

    The caller must be employed as a clinician in the node's country, hold a grant that opens the
    records of the node's people, and state clinical care as the purpose.

    Args:
        rights: What the caller may see.
        node: The node's identity and access settings.
        people: The node's people.
        identifier: The patient's identifier.

    Returns:
        The patient's number in ``people``.

    Raises:
        Problem: 401 or 403 before the patient is searched for. 404 for an unknown patient and for
            one who did not consent, with the same message.
    """
    rights.require_records([node.people_dataset])
    for_care = rights.purpose is not None and rights.purpose.term == CLINICAL_CARE
    if not (for_care and CLINICIAN in rights.roles and node.country_code in rights.countries):
        raise rights.refusal()
    position = people.position(identifier)
    if position is None or position in rights.excluded:
        raise Problem("No patient with this identifier at this node.", 404)
    return position
