"""Compute costs and effects of care by what the nodes told, by pooled people, and truly."""

from pathlib import Path

from rehearsal.files import read_json, write_json
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.policy.care.assessment import (
    assess,
    describe_assumptions,
    told_by_nodes,
    told_of_pooled,
)
from rehearsal.policy.care.parameters import read_economics
from rehearsal.seeds import derive_seed
from rehearsal.truth.care_simulation import true_gains


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    economics = read_economics(Path(smk.input.economics[0]))
    traits = read_traits(Path(smk.input.traits))
    stories = {one["name"]: one for one in map(read_json, smk.input.stories)}
    nodes = told_by_nodes(economics, stories)
    pooled = told_of_pooled(economics, stories, read_json(smk.input.truth))
    assessed = assess(economics, traits, nodes, pooled, smk.params.seed)
    gains = true_gains(
        Path(smk.input.economics[0]),
        Path(smk.input.traits),
        pooled.score is not None,
        pooled.carriers,
        smk.params.people,
        derive_seed(smk.params.seed, "care", "truth"),
    )
    for name, gain in gains.items():
        assessed[name]["truth"] = gain
    write_json(smk.output.economics, {**describe_assumptions(economics), **assessed})


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
