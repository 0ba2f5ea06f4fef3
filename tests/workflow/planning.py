"""Snakemake with its plan as JSON: ``python planning.py FILE PROFILE`` and options of Snakemake.

The plan has one entry per job: its rule, its wildcards, how many characters a record of its params
has and their digest, and its resources. It has one entry per group of jobs, with the resources of
the whole group.
"""

import hashlib
import json
import sys
from pathlib import Path

import yaml


def tell(workflow):
    """Build the plan and write it."""
    workflow.group_settings, workflow.execution_settings = GROUPS, ExecutionSettings()
    workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
    workflow._build_dag()
    workflow.async_run(workflow.dag.postprocess())
    jobs = list(workflow.dag.jobs)
    groups = {id(group): group for job in jobs if (group := workflow.dag.get_job_group(job))}
    record = workflow.persistence._params
    told = {
        "jobs": [
            {
                "rule": job.rule.name,
                "wildcards": dict(job.wildcards_dict or {}),
                "record": sum(map(len, record(job))),
                "digest": hashlib.sha256("".join(record(job)).encode()).hexdigest(),
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
    FILE, GROUPED_BY = Path(sys.argv.pop(1)), sys.argv.pop(1)
    from snakemake.cli import main
    from snakemake.settings.types import ExecutionSettings, GroupSettings
    from snakemake.workflow import Workflow

    # Snakemake groups jobs only to run them
    options = yaml.safe_load(Path(GROUPED_BY).read_text()) if GROUPED_BY else {}
    GROUPS = GroupSettings(options.get("groups", {}), options.get("group-components", {}))
    Workflow.local_exec = property(lambda workflow: False)
    Workflow.printdag = tell
    main()
