"""The page of the costs of the infrastructure: three designs, their parts, doubts and shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.report.figures.tornado import tornado_svg
from rehearsal.report.page_elements import (
    Column,
    Drawing,
    Page,
    Points,
    Section,
    Table,
    Text,
    as_given,
    euros,
    percent,
    rounded,
    shortened,
    spaced,
    whole,
)

COSTS = "costs.html"
SOURCE_MARKS = "Marks: (r) looked up, (measured) by the rehearsal, (m) from memory, not looked up."
SHOWN_ITEMS = 8  # bars of the tornado
FAR = 100  # times the highest number of questions that is assumed
QUANTITIES = {  # what each is, and its unit
    "people": ("People of the run", "people"),
    "countries": ("Countries", "countries"),
    "questions": ("Questions of the suite", "questions"),
    "bytes_over_borders": ("Answers that cross a border, for one question", "bytes"),
    "bytes_of_one_answer": ("Answer of one node, mean of all, taken for that of a centre", "bytes"),
    "network_cpu_s": ("Computing of the network, for one question", "CPU seconds"),
    "nodes_cpu_s": ("Computing of all nodes, for one question", "CPU seconds"),
    "single_cpu_s": ("Computing of the smallest network, for one question", "CPU seconds"),
    "single_people": ("People in it, from whom it is scaled to a centre", "people"),
    "genome_bytes": ("Genotypes of a person at rest, whole genome", "bytes"),
    "record_bytes": ("Records of a person at rest", "bytes"),
    "frequency_bytes": ("Allele frequencies of all nodes at rest, whole genome", "bytes"),
    "frequency_share": ("Share of questions that allele frequencies answer", "of 1"),
}
ASSUMPTIONS = (
    "In the federated and the hybrid design, data are kept in their country. Answers cross "
    "borders, and callers with a permit may also get records of people. No agreements are paid "
    "for, although such callers may need them. In the central design, a centre keeps the data of "
    "all, in as many copies as a node keeps, each country keeps one more, and each pays for an "
    "agreement.",
    "Measured quantities are of synthetic people on one machine, and genomes are scaled from the "
    "simulated stretches to whole ones. Prices are constant, without inflation and discounting.",
    "Euros are nominal ones of the year of each price. Prices in US dollars are taken as euros, "
    "which makes them somewhat too high; gross domestic products are converted.",
    "Sequencing, care, buildings and the software itself are left out, because they cost the same "
    "in each design.",
    "Genotypes at rest, stores of variants and computing per question each grow with an exponent "
    "of the table; records and reads grow in proportion to people. A run has no reads, so that "
    "their size is an assumption.",
    "Staff, servers, agreements and questions a year do not grow with people. The same small "
    "servers and the same people run a node with the data of a hundred persons and of many "
    "thousand, which is too little for many.",
    "Draws take each price from the triangle of its low, middle and high, independently of other "
    "prices. One draw stands for all countries: if each had its own number of staff, the range of "
    "the sum would be narrower.",
    "The middle of a price is its most likely value and not its median. In the table that is "
    "shipped, nearly all draws have more questions than the middle, and most have more reads, so "
    "that costs at middle prices are below the median of the draws, and a question costs more.",
)


def costs_page(summary: Mapping[str, Any], names: Mapping[str, str]) -> Page:
    """Build the page of the costs.

    Args:
        summary: The content of ``summary.json``.
        names: Names of the countries by code.
    """
    costs = summary["costs"]
    if costs is None:
        reason = "No costs: this run measured no CPU time of nodes. A run with a bench does."
        return Page(COSTS, "Costs of the infrastructure", reason, [])
    sizes = costs["sizes"]
    return Page(
        COSTS,
        "Costs of the infrastructure",
        _headline(sizes[-1], len(costs["from_memory"]), len(costs["prices"])),
        [
            Section(
                "assumptions", "Assumptions first", [*map(Text, _marks(costs)), Points(ASSUMPTIONS)]
            ),
            Section("designs", "Three designs", [_design_table(sizes)]),
            Section(
                "comparison",
                "Federated or central",
                [
                    *_cheaper(sizes[-1]),
                    Points([_break_even(size, costs["prices"]) for size in sizes]),
                    _difference_table(sizes[-1]),
                ],
            ),
            Section("parts", "What makes up the costs", [_part_table(sizes[-1])]),
            Section(
                "doubts",
                "What the costs depend on",
                [_tornado(costs, sizes[-1]), _tornado_table(sizes[-1])],
            ),
            Section("countries", "Shares of countries", [_country_table(sizes[-1], names)]),
            Section("products", "Gross domestic products", [_product_table(costs["gdp"], names)]),
            Section("prices", "Prices and assumptions", [_price_table(costs["prices"])]),
            Section("quantities", "What the run measured", [_quantity_table(costs["quantities"])]),
        ],
    )


def _marks(costs: Mapping[str, Any]) -> Iterator[str]:
    """Yield what nobody has looked up, and which figures rest on it."""
    prices, products = costs["from_memory"], costs["gdp_from_memory"]
    if prices:
        yield (
            f"{len(prices)} of {len(costs['prices'])} prices and assumptions are from memory and "
            f"were not looked up ({', '.join(map(spaced, prices))}). Every figure in euros on this "
            "page rests on them."
        )
    if products:
        yield (
            f"Gross domestic products of {len(products)} of {len(costs['gdp'])} countries are from "
            "memory and were not looked up. The shares by GDP rest on them."
        )


def _headline(size: Mapping[str, Any], from_memory: int, prices: int) -> str:
    low, middle, high = size["designs"]["federated"]["quantiles"].values()
    mark = f" {from_memory} of {prices} prices and assumptions are from memory."
    return (
        f"A federation for {whole(size['people'])} people costs less than {euros(middle)} a year "
        f"in half of the draws, and between {euros(low)} and {euros(high)} in 90%. "
        f"In half of the draws, less than {percent(size['measured_share'])} of the costs rests on "
        "what this run measured; the rest are staff, servers and reads that were assumed."
        f"{mark if from_memory else ''}"
    )


def _design_table(sizes: Sequence[Mapping[str, Any]]) -> Table:
    columns = [
        Column("People", number=True, names_row=True),
        Column("Design"),
        Column("A year: half of the draws below", number=True),
        Column("5% of draws below", number=True),
        Column("95% of draws below", number=True),
        Column("A question", number=True),
        Column("A genome", number=True),
        Column("Cheapest in so many draws", number=True),
    ]
    rows = [
        (
            whole(size["people"]),
            name,
            *(euros(design["quantiles"][one]) for one in ("0.5", "0.05", "0.95")),
            euros(_median(design["per_question"])),
            euros(_median(design["per_genome"])),
            percent(design["cheapest_share"], 0),
        )
        for size in sizes
        for name, design in size["designs"].items()
    ]
    caption = (
        "Costs a year of all countries together. A question and a genome: the median of the draws, "
        "each with its own number of questions."
    )
    return Table(caption, columns, rows)


def _median(drawn: Mapping[str, float] | None) -> float | None:
    return None if drawn is None else drawn["0.5"]


def _cheaper(size: Mapping[str, Any]) -> Iterator[Points]:
    """Say what it rests on that one design is cheaper."""
    shares = size["cheaper_shares"]
    yield Points(
        [
            f"For {whole(size['people'])} people, the federated design costs less than the central "
            f"one in {percent(shares['all'], 0)} of the draws. This is by assumption as much as by "
            "measurement.",
            "The hybrid design is the federated one and a centre for frequencies. It is cheapest "
            "only where this centre costs less than the transfer and computing that it saves, so "
            "that its place is an assumption, not a result.",
            "If countries kept no copy beside the centre, the federated one would cost less in "
            f"{percent(shares['same_copies'], 0)} of the draws.",
            "If the centre also needed no agreements, the federated one would cost less in "
            f"{percent(shares['same_copies_no_agreements'], 0)} of the draws.",
        ]
    )


def _break_even(size: Mapping[str, Any], prices: Sequence[Mapping[str, Any]]) -> str:
    """Say at how many questions both designs cost the same, in the draws in which they do."""
    people, found = whole(size["people"]), size["break_even_questions"]
    if found["quantiles"] is None:
        return f"{people} people: one design is cheaper for any number of questions."
    most = next(price["high"] for price in prices if price["item"] == "questions")
    low, _, high = found["quantiles"].values()
    far = (
        f" That is beyond any real number (the highest one assumed is {whole(most)}): the "
        "number of questions does not decide."
    )
    none = (
        f" In {percent(found['none_share'])} of all draws, one design is cheaper for any number."
        if found["none_share"]
        else ""
    )
    return (
        f"{people} people: both cost the same at a number of questions a year between "
        f"{whole(rounded(low))} and {whole(rounded(high))}, in 90% of the draws that have one."
        f"{none}{far if low > FAR * most else ''}"
    )


def _part_table(size: Mapping[str, Any]) -> Table:
    designs = size["designs"]
    columns = [Column("Part", names_row=True), *(Column(one, number=True) for one in designs)]
    parts = next(iter(designs.values()))["parts"]
    rows = [(part, *(euros(one["parts"][part]) for one in designs.values())) for part in parts]
    total = ("all", *(euros(one["at_middle_prices"]) for one in designs.values()))
    caption = (
        f"Euros a year, for {whole(size['people'])} people, if all prices are at their middle. "
        "The median of the draws is another figure where prices reach further to one side of their "
        "middle than to the other."
    )
    return Table(caption, columns, rows, total)


def _tornado_table(size: Mapping[str, Any]) -> Table:
    caption = (
        "Costs of the federation when one item changes, the others at their middle. Items that do "
        "not change the rounded costs are left out."
    )
    return _item_table(size["tornado"], caption)


def _difference_table(size: Mapping[str, Any]) -> Table:
    caption = (
        f"By how much the central design costs more, for {whole(size['people'])} people, when one "
        "item changes, the others at their middle. Where it is below 0, the central one is cheaper."
        " Items that do not change the rounded difference are left out."
    )
    return _item_table(size["tornado_of_difference"], caption)


def _item_table(items: Sequence[Mapping[str, Any]], caption: str) -> Table:
    columns = [
        Column("Price or assumption", names_row=True),
        Column("At its low", number=True),
        Column("At its high", number=True),
    ]
    rows = [
        (spaced(row["item"]), euros(row["low"]), euros(row["high"]))
        for row in items
        if euros(row["low"]) != euros(row["high"])
    ]
    return Table(caption, columns, rows)


def _tornado(costs: Mapping[str, Any], size: Mapping[str, Any]) -> Drawing:
    rows = size["tornado"][:SHOWN_ITEMS]
    middle = size["designs"]["federated"]["at_middle_prices"]
    svg = tornado_svg([(spaced(row["item"]), row["low"], row["high"]) for row in rows], middle)
    caption = (
        f"Yearly costs of the federation for {whole(size['people'])} people when one item is at "
        f"its low (light) or high (dark); {whole(costs['draws'])} draws change all together."
    )
    return Drawing(caption, svg)


def _country_table(size: Mapping[str, Any], names: Mapping[str, str]) -> Table:
    columns = [
        Column("Country", names_row=True),
        Column("Federated, equal", number=True),
        Column("Federated, by GDP", number=True),
        Column("Central, equal", number=True),
        Column("Central, by GDP", number=True),
    ]
    rows = [
        (
            names[code],
            *(
                euros(shares[design][key]["0.5"]) if shares[design][key] else "–"
                for design in ("federated", "central")
                for key in ("equal", "by_gdp")
            ),
        )
        for code, shares in size["countries"].items()
    ]
    return Table(
        f"Euros a year, for {whole(size['people'])} people. The run's countries share all costs, "
        "those of each country's own node too, equally or in proportion to their gross domestic "
        "product (–: that of a country is not known). By product, large economies so pay for the "
        "nodes of small ones, which pay less than their own node costs: a subsidy, and a choice to "
        "be made. Half of the draws are below.",
        columns,
        rows,
    )


def _product_table(gdp: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    """Tabulate products. A source that all have is said once."""
    columns = [
        Column("Country", names_row=True),
        Column("Billion euros", number=True),
        Column("Year", number=True),
        Column("Source", long=True),
    ]
    rows = [
        (names[code], as_given(one["billion_eur"]), str(one["year"]), one["source"])
        for code, one in gdp.items()
    ]
    sources = {row[-1] for row in rows}
    if len(sources) > 1:
        return Table(SOURCE_MARKS, columns, rows)
    caption = f"{sources.pop()}. {SOURCE_MARKS}"
    return Table(caption, columns[:-1], [row[:-1] for row in rows])


def _price_table(prices: Sequence[Mapping[str, Any]]) -> Table:
    columns = [
        Column("Item", names_row=True),
        Column("Unit"),
        Column("Low", number=True),
        Column("Middle", number=True),
        Column("High", number=True),
        Column("Year", number=True),
        Column("Source", long=True),
    ]
    rows = [
        (
            spaced(price["item"]),
            price["unit"],
            *map(as_given, price["given"]),
            str(price["year"]),
            price["source"],
        )
        for price in prices
    ]
    return Table(SOURCE_MARKS, columns, rows)


def _quantity_table(quantities: Mapping[str, Any]) -> Table:
    columns = [
        Column("Quantity", names_row=True, long=True),
        Column("Value", number=True),
        Column("Unit"),
    ]
    rows = [(what, shortened(quantities[name]), unit) for name, (what, unit) in QUANTITIES.items()]
    caption = (
        "Answers of the asker's own node cross no border. No node of the run has everybody's data. "
        "The bytes of both designs are those of the same questions, and a centre's answer is taken "
        "to be as long as that of one node; where it lists more variants or people, it is longer. "
        "The computing of both designs is that of the same questions, sent one after another to "
        "networks of the fewest and of the most nodes; that of the fewest grows to everybody with "
        "the exponent of computing."
    )
    return Table(caption, columns, rows)
