# Needs: what nodes told in the stories, the right answers to the same questions, config/economics.yaml.
# Makes: costs and effects of care, by the nodes, by pooled people, and truly.


ECONOMICS = config["policy"]["economics"]


rule assess_care:
    input:
        economics=[local(ECONOMICS)] if ECONOMICS else [],
        traits=local(config["traits"]),
        stories=rules.run_stories.output.stories,
        truth=rules.compute_story_truth.output.truth,
    output:
        economics=f"{RESULTS}/policy/economics.json",
    log:
        f"{LOGS}/assess_care.log",
    benchmark:
        f"{BENCHMARKS}/assess_care.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("assess_care"),
    params:
        code=code_digest("assess_care.py"),
        seed=config["seed"],
        people=500_000,
    message:
        "Costs and effects of care"
    script:
        f"{SCRIPTS}/assess_care.py"
