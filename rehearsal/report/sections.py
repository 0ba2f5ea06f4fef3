"""The sections of the page, each from the summary and the run's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from rehearsal.evaluation.control_requests import CONTROL, EMPTY_HANDLER
from rehearsal.realism.block_structure import ALL
from rehearsal.realism.frequency_spectrum import spectrum_shares
from rehearsal.report import figures
from rehearsal.report.bench import bench_sections
from rehearsal.report.catalogue import CATALOGUE
from rehearsal.report.failures import list_failures
from rehearsal.report.page_elements import (
    Column,
    Drawing,
    Facts,
    Figure,
    Linked,
    Links,
    Points,
    Section,
    Shown,
    Table,
    Text,
    Verdict,
    milliseconds,
    percent,
    seconds,
    table_of,
    whole,
)
from rehearsal.report.privacy import power_figure
from rehearsal.report.problems import PROBLEM_COLUMNS
from rehearsal.report.stories import story_href
from rehearsal.report.style import PAGE
from rehearsal.report.tables import (
    ReportTables,
    cohort_table,
    country_href,
    kind_table,
    node_table,
)

SHOWN_PROBLEMS = 40
LARGEST_DRAWING = 600_000  # characters of SVG that the page may carry
PCA_MEGABASES = 400  # of independent sequence, for country centroids to resemble a map


def verdicts(summary: Mapping[str, Any]) -> Iterator[Verdict]:
    """What a reader wants to know first: QS-02, exactness, nodes, stories and realism if there."""
    measured, federation = summary["qs02"], summary["federation"]
    yield Verdict(
        "QS-02: answers in time",
        percent(measured["success_rate"]),
        f"{whole(measured['in_time'])} of {whole(measured['asked'])} times a node answered "
        f"within {measured['deadline_s']:g} s; {percent(measured['required'], 0)} are required",
        measured["passed"],
    )
    queries = federation["queries"]
    yield Verdict(
        "Exact answers",
        f"{whole(federation['exact'])} of {whole(queries)}",
        "queries for which every node and the network said what the truth says",
        queries > 0 and federation["exact"] == queries,
    )
    yield Verdict(
        "Nodes that answered",
        f"{federation['nodes']} of {federation['nodes_expected']}",
        f"and {whole(federation['answered'])} of {whole(queries)} queries were answered by all "
        "of them",
        federation["nodes"] == federation["nodes_expected"] and federation["answered"] == queries,
    )
    stories = summary["stories"]
    if stories:
        passed = [name for name, story in stories.items() if story["passed"]]
        yield Verdict(
            "Stories",
            f"{len(passed)} of {len(stories)}",
            "went from question to answer as the truth has it",
            len(passed) == len(stories),
        )
    judged = [row for row in summary["realism"] if row["judged"]]
    if judged:
        good = sum(row["passed"] for row in judged)
        yield Verdict(
            "Realism", f"{good} of {len(judged)}", "measures as expected", good == len(judged)
        )
    checks = summary["checks"]
    if checks:
        good = sum(check["passed"] for check in checks)
        yield Verdict(
            "Other checks",
            f"{good} of {len(checks)}",
            "beyond the queries; they are listed below",
            good == len(checks),
        )


def sections(summary: Mapping[str, Any], tables: ReportTables) -> list[Section]:
    """All sections in reading order. A section without content is left out."""
    nodes = node_table(tables)
    made = [
        _problems(summary),
        _map(tables, nodes),
        _stories(tables),
        _latency(tables, nodes),
        *(bench_sections(tables.bench, list(tables.countries)) if tables.bench else ()),
        _cohort(tables),
        _datasets(tables),
        _spectrum(tables),
        _pca(tables),
        _demography(tables),
        _realism(tables),
        _privacy(summary),
        _checks(summary),
        _provenance(summary),
        _limits(),
    ]
    return [section for section in made if section is not None]


def _problems(summary: Mapping[str, Any]) -> Section:
    federation = summary["federation"]
    frame = pd.DataFrame(federation["problems"], columns=PROBLEM_COLUMNS).head(SHOWN_PROBLEMS)
    listed = ("query ", "federation:")
    others = [line for line in list_failures(summary) if not line.startswith(listed)]
    parts: list[Any] = [Points(others)] if others else []
    if frame.empty:
        parts.append(
            Text("None: every node and the network answered every query as the truth has it.")
        )
    else:
        shown = [
            Shown("query", Column("Query", names_row=True)),
            Shown("kind", Column("Kind"), _spaced),
            Shown("node", Column("Node")),
            Shown("problem", Column("Problem")),
            Shown("expected", Column("Truth")),
            Shown("observed", Column("Answer")),
            Shown("reason", Column("Reason")),
        ]
        total = federation["problems_total"]
        caption = f"{whole(total)} wrong, late, failed or missing answers"
        if total > len(frame):
            caption += f"; here are the first {whole(len(frame))}, the rest is in answers.parquet"
        parts.append(table_of(frame, caption, shown))
    return Section("problems", "Wrong or missing answers", parts)


def _map(tables: ReportTables, nodes: pd.DataFrame) -> Section:
    countries = {country.code: country for country in tables.countries}
    home = countries[tables.asker].capital if tables.asker in countries else tables.asker
    figure = Figure(
        "map",
        f"A dot for each node at its country's population centre, linked to the asker in {home}; "
        "its area follows the people in it, its colour the median latency of its answers.",
        figures.vega_specification(
            figures.latency_map(
                tables.countries, nodes, tables.asker, PAGE, "container", linked=True
            )
        ),
        square=True,
    )
    measured = tables.distances.set_index("country")["measured"]
    frame = nodes.assign(
        capital=[country.capital for country in tables.countries],
        basis=["measured" if measured.get(code, False) else "fitted" for code in nodes["node"]],
    )
    frame.loc[frame["node"] == tables.asker, "basis"] = "asker"
    shown = [
        Shown("name", Column("Country", names_row=True)),
        Shown("capital", Column("Capital")),
        Shown("rtt_ms", Column("Distance", number=True), milliseconds),
        Shown("basis", Column("Basis")),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p95_ms", Column("p95", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("answers", Column("Answers", number=True), whole),
        Shown("problems", Column("Wrong or missing", number=True), whole),
    ]
    caption = (
        f"Nodes as seen from {home}, in milliseconds. The distance is the round trip that was "
        "applied: measured between cloud regions where the pair is known, else fitted to the "
        "kilometres between the capitals. Answers are those that came in time; p95 and p99 are "
        "percentiles of their latency."
    )
    parts = [figure, _country_links(nodes), table_of(frame, caption, shown)]
    return Section("nodes", "Nodes and distances", parts)


def _country_links(nodes: pd.DataFrame) -> Links:
    """To every country's page, for the keyboard and for who does not see the map."""
    links = [
        Linked(row.name, country_href(row.node), failed=row.problems > 0)
        for row in nodes.itertuples(index=False)
    ]
    return Links("Countries", links)


def _stories(tables: ReportTables) -> Section | None:
    """What each story asked and whether it went as the truth has it; its page has the rest."""
    if not tables.stories:
        return None
    columns = [
        Column("Story", names_row=True, long=True),
        Column("Asked by", long=True),
        Column("Questions", number=True),
        Column("Checks", number=True),
        Column("Seconds", number=True),
        Column("Verdict"),
    ]
    rows = []
    for story in tables.stories:
        good = sum(check["passed"] for check in story["checks"])
        rows.append(
            (
                Linked(story["title"], story_href(story["name"])),
                story["asker"]["name"],
                whole(len(story["questions"])),
                f"{good} of {len(story['checks'])}",
                seconds(story["seconds"]),
                "passed" if story["passed"] else "FAILED",
            )
        )
    caption = "Each story's page tells who asked what, which countries answered and what came back."
    return Section("stories", "Stories", [Table(caption, columns, rows)])


def _datasets(tables: ReportTables) -> Section | None:
    if not tables.datasets:
        return None
    number = f"{whole(len(tables.datasets))} datasets of this run, with what they may be used for"
    return Section("datasets", "Datasets", [Links("Catalogue", [Linked(number, CATALOGUE)])])


def _latency(tables: ReportTables, nodes: pd.DataFrame) -> Section:
    kinds = kind_table(tables)
    by_node = figures.node_latency_figure(nodes, PAGE, "container")
    by_kind = figures.kind_latency_figure(kinds, PAGE, "container")
    shown = [
        Shown("kind", Column("Kind of query", names_row=True), _spaced),
        Shown("queries", Column("Queries", number=True), whole),
        Shown("n", Column("Answers", number=True), whole),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p95_ms", Column("p95", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("max_ms", Column("Slowest", number=True), milliseconds),
        Shown("queries_per_s", Column("Per second", number=True), milliseconds),
        Shown("bytes_mean", Column("Bytes", number=True), whole),
    ]
    *rows, total = table_of(kinds, "", shown).rows
    table = Table(
        "The joined answer of the whole network, in milliseconds. Per second: one query after the "
        "other. Bytes: of all nodes' answers to a query, on average.",
        [how.column for how in shown],
        rows,
        ("All kinds", *total[1:]),
    )
    return Section(
        "latency",
        "Latency",
        [
            Figure(
                "latency-nodes",
                "Answers of each node over all kinds of query, fastest first. The distance is the "
                "round trip that was applied; p95 and p99 are percentiles.",
                figures.vega_specification(by_node),
            ),
            Figure(
                "latency-kinds",
                "The joined answer of all nodes, by kind of query.",
                figures.vega_specification(by_kind),
            ),
            table,
            *_control(tables.latency),
        ],
    )


def _control(latency: pd.DataFrame) -> Iterator[Text]:
    """What requests cost that ask for nothing, to hold the other figures against."""
    medians = latency[latency["kind"] == CONTROL.kind].set_index("node")["p50_ms"].dropna()
    if EMPTY_HANDLER in medians:
        yield Text(
            f"For comparison: an empty handler on this machine answered the same client in "
            f"{milliseconds(medians.pop(EMPTY_HANDLER))} ms (median)"
            + (f", the nodes' service-info in {_between(medians)} ms." if len(medians) else ".")
        )


def _between(values: pd.Series) -> str:
    return f"{milliseconds(values.min())} to {milliseconds(values.max())}"


def _cohort(tables: ReportTables) -> Section:
    frame = cohort_table(tables)
    shown = [
        Shown("name", Column("Country", names_row=True)),
        Shown("code", Column("Code")),
        Shown("people", Column("People", number=True), whole),
        Shown("women", Column("Women", number=True), whole),
        Shown("men", Column("Men", number=True), whole),
        Shown("in_families", Column("In families", number=True), whole),
        Shown("born", Column("Born", number=True)),
        Shown("alleles", Column("Alleles that vary", number=True), whole),
        Shown("singleton_share", Column("Seen once", number=True), percent),
    ]
    frame["born"] = [
        None if pd.isna(low) else f"{int(low)}–{int(high)}"
        for low, high in zip(frame["born_from"], frame["born_to"], strict=True)
    ]
    table = table_of(
        frame,
        "The simulated people of each country. Alleles that vary: derived autosomal alleles "
        "that some but not all of the country's chromosomes carry.",
        shown,
    )
    sums = [whole(frame[name].sum()) for name in ("people", "women", "men", "in_families")]
    total = ("All", "", *sums, "", "", "")
    return Section("cohort", "The cohort", [Table(table.caption, table.columns, table.rows, total)])


def _spectrum(tables: ReportTables) -> Section:
    cohort = spectrum_shares(tables.spectrum).loc[ALL]
    caption = (
        f"{whole(cohort['alleles'])} derived autosomal alleles vary in the cohort; "
        f"{percent(cohort['singleton_share'])} of them were seen once, relatives included. Drawn "
        "is the number of alleles at each frequency against that of a population of constant "
        "size, which would be level (dashed): growth lifts the rare end, a bottleneck lowers it."
    )
    chart = figures.spectrum_figure(tables.spectrum, tables.countries, PAGE, "container")
    return Section(
        "spectrum",
        "Allele-frequency spectrum",
        [Figure("spectrum", caption, figures.vega_specification(chart))],
    )


def _pca(tables: ReportTables) -> Section | None:
    components = tables.components
    if components is None:
        return None
    megabases = components.attrs["megabases"]
    caption = (
        f"{whole(len(components))} people on the first two principal components of "
        f"{whole(components.attrs['sites'])} common variants in {megabases:.1f} Mb of autosomes. "
        f"{whole(components['related'].sum())} relatives were projected onto the axes of the "
        "others. Regions are quarters by population centre, for colour only."
    )
    if megabases < PCA_MEGABASES:
        caption += (
            f" The map of Europe shows from about {PCA_MEGABASES} Mb: a run as short as this one "
            "separates a few countries at most."
        )
    chart = figures.pca_figure(components, tables.countries, PAGE, "container")
    return Section(
        "pca", "Principal components", [Figure("pca", caption, figures.vega_specification(chart))]
    )


def _demography(tables: ReportTables) -> Section | None:
    svg = tables.demography_svg
    if svg is None:
        return None
    if len(svg) > LARGEST_DRAWING:
        return Section(
            "demography",
            "Demographic model",
            [Text("The drawing is too large for this page; it is among the run's files.")],
        )
    caption = "The model that was simulated: time runs upward into the past, widths are sizes."
    return Section("demography", "Demographic model", [Drawing(caption, svg)])


def _realism(tables: ReportTables) -> Section | None:
    """What was measured on the cohort beside what is known, and whether the run can judge it."""
    if tables.realism is None:
        return None
    frame = tables.realism
    judged = frame["judged"].astype(bool)
    state = frame["passed"].map({True: "passed", False: "failed"})
    measure = [
        Shown("name", Column("Measure", names_row=True)),
        Shown("measured", Column("Measured", number=True), _figure),
        Shown("expected", Column("Expected")),
    ]
    told = f"{judged.sum()} of {len(frame)} measures can be judged on a run of this size."
    parts: list[Any] = []
    if judged.any():
        shown = [
            *measure,
            Shown("verdict", Column("Verdict")),
            Shown("source", Column("Source", long=True)),
        ]
        parts.append(table_of(frame.assign(verdict=state)[judged], told, shown))
    shown = [*measure, Shown("note", Column("Why it is not judged", long=True))]
    caption = "Measured, not judged. Sources and samples of all rows: realism/realism.tsv."
    parts.append(table_of(frame[~judged], caption if parts else f"{told} {caption}", shown))
    drawings = [Drawing(caption, svg) for caption, svg in tables.realism_svgs.items()]
    return Section("realism", "Realism", [*parts, *drawings])


def _figure(value: float) -> str:
    return whole(value) if abs(value) >= 1000 else f"{value:.4g}"


def _privacy(summary: Mapping[str, Any]) -> Section | None:
    """How often an attacker finds who is in a node, and what protection costs true questions."""
    if not summary["privacy"].get("table"):
        return None
    measured = summary["privacy"]["measured"]
    frame = pd.DataFrame(summary["privacy"]["table"])
    most = frame[frame["queries"] == frame["queries"].max()]
    worst = most.loc[most.groupby("protection", sort=False)["power"].idxmax()]
    shown = [
        Shown("protection", Column("Protection", names_row=True)),
        Shown("attack", Column("Strongest attack"), _spaced),
        Shown("power", Column("Members found", number=True), percent),
        Shown("auc", Column("AUC", number=True), "{:.2f}".format),
        Shown("refused", Column("True answers refused", number=True), percent),
        Shown("refused_common", Column("of common alleles", number=True), percent),
    ]
    caption = (
        f"After {whole(frame['queries'].max())} queries at {len(measured['nodes'])} nodes, "
        f"{percent(measured['false_positives'], 0)} false positives, "
        f"{whole(measured['targets'])} people attacked."
    )
    figure = Figure(
        "privacy",
        "Members that the strongest attack finds, by the number of queries it asks. "
        "The dashed line is what the public tier promises.",
        figures.vega_specification(power_figure(summary["privacy"]["table"], PAGE, "container")),
    )
    return Section("privacy", "Re-identification", [figure, table_of(worst, caption, shown)])


def _checks(summary: Mapping[str, Any]) -> Section | None:
    if not summary["checks"]:
        return None
    rows = [
        (
            check["name"],
            str(check["expected"]),
            str(check["observed"]),
            "passed" if check["passed"] else "failed",
        )
        for check in summary["checks"]
    ]
    columns = [
        Column("Check", names_row=True),
        Column("Expected"),
        Column("Observed"),
        Column("Verdict"),
    ]
    return Section("checks", "Other checks", [Table("Every other pass or fail", columns, rows)])


def _provenance(summary: Mapping[str, Any]) -> Section:
    run, machine = summary["run"], summary["run"]["machine"]
    facts = Facts(
        [
            ("Seed", str(run["seed"])),
            ("Config digest", run["config_digest"]),
            (
                "Machine",
                f"{machine['processor']}, {machine['cores']} cores, "
                f"{machine['memory_gb']} GB, {machine['system']}",
            ),
            *_conditions(run["conditions"]),
            ("Load average", _loads(run)),
            ("Versions", ", ".join(f"{name} {text}" for name, text in run["versions"].items())),
        ]
    )
    shown = [
        Shown("stage", Column("Stage", names_row=True), _spaced),
        Shown("jobs", Column("Jobs", number=True), whole),
        Shown("wall_s", Column("Wall, s", number=True), seconds),
        Shown("cpu_s", Column("CPU, s", number=True), seconds),
        Shown("peak_mb", Column("Peak memory, MB", number=True), whole),
    ]
    frame = pd.DataFrame(run["stages"], columns=[how.name for how in shown])
    parts: list[Any] = [facts]
    if len(frame):
        table = table_of(
            frame, "Time a stage, summed over its jobs, as Snakemake measured it", shown
        )
        total = (
            "All",
            whole(frame["jobs"].sum()),
            seconds(run["wall_s"]),
            seconds(run["cpu_s"]),
            "",
        )
        parts.append(Table(table.caption, table.columns, table.rows, total))
    return Section("provenance", "Provenance", parts)


def _conditions(conditions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the bench noted while it asked; each fact only if it is there."""
    if "started" in conditions:
        yield "Asked at", conditions["started"]
    if burst := conditions.get("burst"):
        yield (
            "Throughput",
            f"{burst['queries_per_s']:.1f} queries/s of all nodes, {burst['requests_per_s']:.0f} "
            f"requests/s, with {burst['at_once']} queries under way at any time",
        )


def _loads(run: Mapping[str, Any]) -> str:
    """Load averages of one, five and fifteen minutes, as far as they were noted."""
    noted = {
        "before asking": run["conditions"].get("load_average_before"),
        "after asking": run["conditions"].get("load_average_after"),
        "at the end": run["load_average"],
    }
    return "; ".join(
        f"{', '.join(f'{load:.2f}' for load in loads)} {when}"
        for when, loads in noted.items()
        if loads
    )


def _limits() -> Section:
    return Section(
        "limits",
        "What this is not",
        [
            Points(
                [
                    "There is no real data in it: every person, genome and record is simulated.",
                    "The model's admixture shares are a statistical device that gives countries "
                    "the right distances. They are not estimates of anybody's ancestry.",
                    "Blocks are simulated one by one: they share no background identity by "
                    "descent. Relatives do share segments across blocks.",
                    "Latencies are those of one machine with emulated distances. They show how "
                    "the parts behave together, not how fast a country's own hardware is.",
                ]
            )
        ],
    )


def _spaced(text: str) -> str:
    return text.replace("_", " ")
