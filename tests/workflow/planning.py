"""Snakemake with its plan as JSON: ``python planning.py FILE`` and options of Snakemake.

The plan has one entry per job: its rule, its wildcards, how many characters a record of its params
has, and its resources; and one per group of jobs with the resources of the whole group.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def plan(folder, *options, profile="none"):
    """The plan of the workflow in a folder that has or gets a ``config``."""
    if not (folder / "config").exists():
        (folder / "config").symlink_to(ROOT / "config")
    file = folder / "plan.json"
    command = [sys.executable, __file__, file, "--snakefile", ROOT / "Snakefile", "--dag"]
    done = subprocess.run(
        [*command, "--cores", "2", "--workflow-profile", profile, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(folder / "cache")},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(file.read_text())


def tell(workflow):
    """Build the plan and write it."""
    workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
    workflow._build_dag()
    jobs = list(workflow.dag.jobs)
    groups = {id(group): group for job in jobs if (group := workflow.dag.get_job_group(job))}
    record = workflow.persistence._params
    told = {
        "jobs": [
            {
                "rule": job.rule.name,
                "wildcards": dict(job.wildcards_dict or {}),
                "record": sum(map(len, record(job))),
                "resources": dict(job.resources.items()),
            }
            for job in jobs
        ],
        "groups": [
            {
                "rules": sorted(job.rule.name for job in group.jobs),
                "resources": dict(group.resources.items()),
            }
            for group in groups.values()
        ],
    }
    FILE.write_text(json.dumps(told, default=str))


if __name__ == "__main__":
    from snakemake.cli import main
    from snakemake.workflow import Workflow

    FILE = Path(sys.argv.pop(1)).absolute()
    Workflow.printdag = tell
    main()
