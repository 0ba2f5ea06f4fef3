# Needs: the results of all other rules.
# Makes: the figures, the pages, summary.json, junit.xml. Ends the run with an error when an answer is wrong.


rule build_report:
    input:
        unpack(bench_results),
        unpack(care_results),
        unpack(analysis_results),
        people=rules.simulate_people.output.people,
        carriers=rules.simulate_phenotypes.output.carriers,
        drawing=rules.build_demography.output.drawing,
        components=rules.compute_structure.output.components,
        spectrum=rules.compute_structure.output.spectrum,
        answers=rules.run_queries.output.answers,
        latency=rules.run_queries.output.latency,
        conditions=rules.run_queries.output.conditions,
        distances=rules.compute_distances.output.distances,
        privacy=rules.run_membership_attack.output.summary,
        expected_fst=rules.build_demography.output.expected,
        consent=rules.draw_consent.output.consent,
        datasets=rules.write_catalogue.output.datasets,
        stories=rules.run_stories.output.stories,
        realism=rules.judge_realism.output.table,
        realism_map=rules.judge_realism.output.map,
        realism_fst=rules.judge_realism.output.fst,
        realism_distance=rules.judge_realism.output.distance,
        realism_linkage=rules.judge_realism.output.linkage,
        realism_sample_size=rules.judge_realism.output.sample_size,
        countries=local(INPUTS.country_table),
        manifest=f"{RESULTS}/manifest.json",
        maturity=local(config["policy"]["maturity"]),
        prices=local(config["policy"]["prices"]),
        gdp=local(config["policy"]["gdp"]),
        labels=local(config["policy"]["labels"]),
        inventory=local(config["policy"]["inventory"]),
    output:
        page=report(
            f"{RESULTS}/report/index.html",
            caption="../report/page.rst",
            category="Verdict",
            labels={"figure": "the page"},
        ),
        countries=expand(
            f"{RESULTS}/report/countries/{{country}}.html", country=COUNTRIES
        ),
        stories=expand(f"{RESULTS}/report/stories/{{story}}.html", story=STORIES),
        catalogue=f"{RESULTS}/report/catalogue.html",
        maturity=f"{RESULTS}/report/maturity.html",
        economics=([f"{RESULTS}/report/economics.html"] if ECONOMICS else []),
        costs=f"{RESULTS}/report/costs.html",
        data_protection=f"{RESULTS}/report/data_protection.html",
        inventory=f"{RESULTS}/report/synthetic_datasets.html",
        sheets=expand(
            f"{RESULTS}/report/sheets/{{sheet}}.html", sheet=[*COUNTRIES, "topics"]
        ),
        summary=f"{RESULTS}/report/summary.json",
        junit=f"{RESULTS}/report/junit.xml",
        map=report(
            f"{RESULTS}/report/figures/map.svg",
            caption="../report/map.rst",
            category="Network",
            labels={"figure": "the nodes on the map"},
        ),
        node_latency=report(
            f"{RESULTS}/report/figures/latency_by_country.svg",
            caption="../report/latency.rst",
            category="Network",
            labels={"figure": "latency by country"},
        ),
        kind_latency=report(
            f"{RESULTS}/report/figures/latency_by_kind.svg",
            caption="../report/latency.rst",
            category="Network",
            labels={"figure": "latency by kind of query"},
        ),
        spectrum=report(
            f"{RESULTS}/report/figures/spectrum.svg",
            caption="../report/spectrum.rst",
            category="Cohort",
            labels={"figure": "allele-frequency spectrum"},
        ),
        components=report(
            f"{RESULTS}/report/figures/principal_components.svg",
            caption="../report/principal_components.rst",
            category="Cohort",
            labels={"figure": "principal components"},
        ),
        cohort=report(
            f"{RESULTS}/report/cohort.csv",
            caption="../report/cohort.rst",
            category="Cohort",
            labels={"figure": "the cohort by country"},
        ),
    log:
        f"{LOGS}/build_report.log",
    benchmark:
        f"{BENCHMARKS}/build_report.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("build_report"),
    params:
        code=code_digest("build_report.py"),
        config=config,
        countries=RecordedByDigest(INPUTS.countries),
        blocks=RecordedByDigest(INPUTS.blocks),
        variants=RecordedByDigest(INPUTS.planted),
        benchmarks=lambda wildcards, output: f"{Path(output.page).parents[1]}/benchmarks",
    message:
        "Report: pages, summary.json and figures"
    script:
        f"{SCRIPTS}/build_report.py"


rule check_verdict:
    input:
        summary=rules.build_report.output.summary,
    output:
        verdict=f"{RESULTS}/report/verdict.txt",
    log:
        f"{LOGS}/check_verdict.log",
    benchmark:
        f"{BENCHMARKS}/check_verdict.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("check_verdict"),
    params:
        code=code_digest("check_verdict.py"),
    message:
        "Verdict"
    script:
        f"{SCRIPTS}/check_verdict.py"
