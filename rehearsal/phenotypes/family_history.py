"""Family history from the pedigree: diagnoses of first-degree relatives in the cohort."""

from __future__ import annotations

import pandas as pd

# HL7 version 3, code system RoleCode (unverified), by sex of the relative
RELATIONS = {
    "parent": {"female": ("NMTH", "mother"), "male": ("NFTH", "father")},
    "sibling": {"female": ("NSIS", "sister"), "male": ("NBRO", "brother")},
    "child": {"female": ("DAU", "daughter"), "male": ("SON", "son")},
}
COLUMNS = (
    "individual",
    "relative",
    "relation",
    "relation_label",
    "code",
    "label",
    "mondo",
    "mondo_label",
    "age_of_onset",
)


def family_history(people: pd.DataFrame, diseases: pd.DataFrame) -> pd.DataFrame:
    """Build the table of family history.

    Siblings share both parents. Relatives outside the cohort are not known.

    Args:
        people: One row per person: id, sex, father, mother (null for founders).
        diseases: Diagnoses, with the columns of ``diseases.parquet``.

    Returns:
        One row per person, first-degree relative and diagnosis of the relative, with ``COLUMNS``,
        in the order of the people. ``relation`` is an HL7 RoleCode.
    """
    pairs = _relatives(people)
    sex = people.set_index("id")["sex"]
    found = pairs.merge(diseases.rename(columns={"individual": "relative"}), on="relative")
    of_relative = zip(found["kind"], sex.loc[found["relative"]], strict=True)
    codes = [RELATIONS[kind][its] for kind, its in of_relative]
    found["relation"] = pd.array([f"HL7RoleCode:{code}" for code, _ in codes], dtype="str")
    found["relation_label"] = pd.array([label for _, label in codes], dtype="str")
    position = pd.Index(people["id"])
    order = pd.DataFrame(
        {key: position.get_indexer(found[key]) for key in ("individual", "relative")}
    ).assign(code=found["code"])
    order = order.sort_values(["individual", "relative", "code"]).index
    return found.loc[order, list(COLUMNS)].reset_index(drop=True)


def _relatives(people: pd.DataFrame) -> pd.DataFrame:
    """List pairs of individual and relative with the kind of relative."""
    born = people.dropna(subset=["father", "mother"])[["id", "father", "mother"]]
    up = [
        pd.DataFrame({"individual": known["id"], "relative": known[parent]})
        for parent in ("father", "mother")
        for known in [people.dropna(subset=[parent])]
    ]
    parents = pd.concat(up, ignore_index=True)
    parents = parents[parents["relative"].isin(people["id"])]  # drops those outside the cohort
    both = born.merge(born, on=["father", "mother"])
    both = both[both["id_x"] != both["id_y"]]
    siblings = both.rename(columns={"id_x": "individual", "id_y": "relative"})
    children = parents.rename(columns={"individual": "relative", "relative": "individual"})
    kinds = {"parent": parents, "sibling": siblings, "child": children}
    return pd.concat(
        [pairs[["individual", "relative"]].assign(kind=kind) for kind, pairs in kinds.items()],
        ignore_index=True,
    )
