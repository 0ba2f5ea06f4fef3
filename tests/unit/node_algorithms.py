"""Small algorithms for tests: each is one Python script with a Snakefile that calls it."""

import json
from pathlib import Path

import yaml

SNAKEFILE = """
rule all:
    output: touch("done")
    shell: "python /algorithm/main.py"
"""
SAVING = '''
import json
import os
import sys
import time
import numpy as np
import pyarrow.parquet

parameters = json.load(open("parameters.json"))
table = pyarrow.parquet.read_table("/view/people.parquet").to_pydict()
number = len(table["sex"])

def save(name, arrays, folder="outputs", people=number, **more):
    """Write NAME.npz and NAME.json. ``arrays``: (numbers, class, what else is said) by name."""
    about = {
        "people": people,
        "additive": True,
        "arrays": {
            key: {"class": kind, "counts": [], **also}
            for key, (_, kind, also) in arrays.items()
        },
        **more,
    }
    np.savez(f"{folder}/.{name}.npz", **{key: np.asarray(one) for key, (one, *_) in arrays.items()})
    os.rename(f"{folder}/.{name}.npz", f"{folder}/{name}.npz")
    with open(f"{folder}/.{name}.json", "w") as file:
        json.dump(about, file)
    os.rename(f"{folder}/.{name}.json", f"{folder}/{name}.json")

def wait_for(name):
    while not os.path.exists(f"inbox/{name}.npz"):
        time.sleep(0.02)
    return np.load(f"inbox/{name}.npz")
'''
COUNTING = """
cases = np.array(table[parameters["disease"]])
sex = np.array(table["sex"])
counts = [(cases & (sex == one)).sum() for one in ("female", "male")]
save("result", {"cases": (counts, "count", {}), "all": ([number], "count", {})})
"""
DISEASE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["disease"],
    "properties": {"disease": {"type": "string", "format": "variable"}},
}
ANYTHING = {"type": "object"}


def write_algorithm(
    folder: Path, script: str = COUNTING, schema: dict = DISEASE, **about: object
) -> Path:
    """Write an algorithm's folder.

    Args:
        folder: The folder, whose name is that of the algorithm.
        script: What it does, after :data:`SAVING`.
        schema: The schema of its parameters.
        **about: Keys of ``algorithm.yaml`` that differ from those of counting cases.

    Returns:
        The folder.
    """
    said = {
        "name": folder.name,
        "version": "1",
        "summary": "Counts cases by sex. It is for tests.",
        "genotypes": False,
        "rounds": False,
        "smallest_count": 100,
        "arrays": {"cases": "count", "all": "count"},
        "outputs": ["result"],
        **about,
    }
    folder.mkdir(parents=True)
    (folder / "algorithm.yaml").write_text(yaml.safe_dump(said))
    (folder / "parameters.schema.json").write_text(json.dumps(schema))
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "main.py").write_text(SAVING + script)
    return folder
