"""Compare two runs on one page: what was asked of each, and what each gave."""

from rehearsal.files import read_json, write_text
from rehearsal.logs import log_to_file
from rehearsal.report.failures import list_failures
from rehearsal.report.html_report import render_page
from rehearsal.report.page_elements import Column, Linked, Links, Page, Section, Table, spaced

NETWORK = ("queries", "nodes", "answers", "exact", "answered", "p50_ms", "p99_ms")


def keys_of(config, above=""):
    """Yield the keys of a configuration by their dotted names, with their values."""
    for key, value in config.items():
        is_section = isinstance(value, dict) and value
        yield from keys_of(value, f"{above}{key}.") if is_section else [(above + key, value)]


def facts_of(config, summary):
    """Yield what was asked of a run and what it gave: part and name of a fact, and its value."""
    yield from ((("Asked", name), value) for name, value in keys_of(config))
    yield ("Verdict", "failures"), len(list_failures(summary))
    yield ("Cost", "CPU time of all jobs, s"), summary["run"]["cpu_s"]
    yield from ((("People", spaced(name)), value) for name, value in summary["cohort"].items())
    yield from ((("Network", spaced(name)), summary["federation"][name]) for name in NETWORK)
    yield ("Network", "share of answers in time"), summary["qs02"]["success_rate"]
    for part, checks in (("Checks", summary["checks"]), ("Privacy", summary["privacy"]["checks"])):
        yield from (((part, one["name"]), one["observed"]) for one in checks)
    yield from ((("Stories", name), one["passed"]) for name, one in summary["stories"].items())
    yield from ((("Realism", one["name"]), one["measured"]) for one in summary["realism"])


def shown(value):
    """Write a value for a cell; an en dash for one that was not measured."""
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return "–" if value is None else f"{value:,.5g}" if isinstance(value, float) else str(value)


def names_unjudged(summaries):
    """Name the measures of realism that a scenario is too small to judge: by fact, another."""
    rows = [one for summary in summaries for one in summary["realism"] if not one["judged"]]
    return {("Realism", one["name"]): ("Realism", f"{one['name']} (not judged)") for one in rows}


def row_of(fact, one, other):
    """Write a row of the table. Its last cell marks a difference."""
    numbers = all(isinstance(value, int | float) for value in (one, other))
    mark = f"{other - one:+,.4g}" if numbers else "differs"
    return (*fact, shown(one), shown(other), "" if one == other else mark)


def main(smk):
    """Write the page from the configurations and the summaries."""
    names, summaries = list(smk.params.configs), [read_json(path) for path in smk.input]
    one, other = map(dict, map(facts_of, smk.params.configs.values(), summaries))
    named = names_unjudged(summaries)
    rows = [row_of(named.get(fact, fact), one.get(fact), other.get(fact)) for fact in one | other]
    # without the keys that both share, and measures that need larger runs
    rows = [row for row in rows if row[-1] or (row[0] != "Asked" and row[2] != "–")]
    columns = [Column("Part"), Column("What", names_row=True, long=True)]
    columns += [Column(title, number=True) for title in (*names, "Difference")]
    table = Table(f"{sum(row[-1] != '' for row in rows)} of {len(rows)} rows differ", columns, rows)
    links = [Linked(f"The report of {name}", f"{name}/results/report/index.html") for name in names]
    section = Section("table", "Side by side", [Links("Reports", links), table])
    lead = "What was asked of two runs, and what each gave."
    seeds = " and ".join(dict.fromkeys(str(summary["run"]["seed"]) for summary in summaries))
    made = {"run": summaries[0]["run"] | {"seed": seeds}}
    page = Page("index.html", " and ".join(names), lead, [section])
    write_text(smk.output.page, render_page(made, page))


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
