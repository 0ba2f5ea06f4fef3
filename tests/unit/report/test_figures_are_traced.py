"""Every number on a page for ministries is in summary.json, formatted here by other code."""

import base64
import html
import json
import re
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

NUMBER = re.compile(r"\d[\d,.]*\d(?:e[+-]?\d+)?|\d(?:e[+-]?\d+)?")
SECTION = re.compile(r'<section aria-labelledby="(\w+)">(.*?)</section>', re.S)
DRAWING = re.compile(r'src="data:image/svg\+xml;base64,([^"]+)"')
LEAD = re.compile(r'<p class="lead">(.*?)</p>', re.S)

# By page and section, the part of the summary that it may show; "lead" is what stands above.
PARTS = {
    "costs.html": {
        "lead": lambda s: [s["costs"]["sizes"][-1], *counted(s["costs"], "from_memory", "prices")],
        "assumptions": lambda s: counted(s["costs"], "from_memory", "prices"),
        "designs": lambda s: s["costs"]["sizes"],
        "comparison": lambda s: [s["costs"]["sizes"], s["costs"]["prices"]],
        "parts": lambda s: s["costs"]["sizes"][-1],
        "doubts": lambda s: [s["costs"]["sizes"][-1], s["costs"]["draws"]],
        "countries": lambda s: [s["costs"]["sizes"][-1][key] for key in ("people", "countries")],
        "products": lambda s: s["costs"]["gdp"],
        "prices": lambda s: s["costs"]["prices"],
        "quantities": lambda s: s["costs"]["quantities"],
    },
    "data_protection.html": {
        "lead": lambda s: [s["cohort"], s["federation"]["queries"]],
        "purposes": lambda s: subjects(s["survey"].values()),
        "measures": lambda s: [s["checks"], s["privacy"]],
    },
    "synthetic_datasets.html": {
        "lead": lambda s: [len(s["inventory"])],
        "overview": lambda s: s["inventory"],
    },
    "maturity.html": {
        "lead": lambda s: indicators(s["maturity"]),
        "indicators": lambda s: [s["maturity"]["indicators"], nodes_that_hold(s["maturity"])],
        "levels": lambda s: s["maturity"]["indicators"],
        "checks": lambda s: [s["maturity"]["checks"], nodes_that_hold(s["maturity"])],
    },
    "economics.html": {
        "lead": lambda s: s["economics"],
        "assumptions": lambda s: s["economics"]["assumptions"],
        "prevention": lambda s: s["economics"]["prevention"],
        "cascade": lambda s: s["economics"]["cascade"],
    },
}
OWN_SECTIONS = {  # pages with a section for each entry of a part, by its key
    "synthetic_datasets.html": lambda s: {one["key"]: one for one in s["inventory"]},
}
NOT_OF_THE_RUN = {  # what the words of a page say, and why it is no figure of the summary
    ("costs.html", "lead"): {"90": "per cent between the quantiles 0.05 and 0.95"},
    ("costs.html", "comparison"): {
        "0": "no difference",
        "90": "per cent between the quantiles 0.05 and 0.95",
    },
    ("maturity.html", "levels"): {
        **dict.fromkeys("12345", "the numbers of levels"),
    },
    ("costs.html", "designs"): {"5": "the quantile 0.05", "95": "the quantile 0.95"},
    ("economics.html", "words"): {
        **dict.fromkeys(("0", "1", "0.5"), "ends and an example of scales"),
        "95": "per cent, as every interval of the page",
    },
    ("economics.html", "assumptions"): {"95": "per cent, as every interval of the page"},
    ("economics.html", "prevention"): {"95": "per cent, as every interval of the page"},
    ("economics.html", "cascade"): {
        "95": "per cent, as every interval of the page",
        **dict.fromkeys("12", "in the names of genes"),
    },
}


def counted(part, *keys):
    return [len(part[key]) for key in keys] + [part[key] for key in keys]


def subjects(numbers):
    """Subjects who say yes to each question, and all subjects."""
    numbers = list(numbers)
    yes = [sum(one[question]["yes"] for one in numbers) for question in numbers[0]]
    return [*yes, *(sum(sum(one[question].values()) for one in numbers) for question in numbers[0])]


def indicators(maturity):
    found = maturity["indicators"]
    return [len(found), sum(one["assessable"] for one in found)]


def nodes_that_hold(maturity):
    """How many nodes there are, and at how many each check and each indicator held."""
    nodes = maturity["nodes"].values()
    checks = [sum(node["checks"][one]["status"] == "held" for node in nodes) for one in CHECK_NAMES]
    of = {key for node in nodes for key in node["indicators"]}
    held = [sum(node["indicators"].get(key) == "held" for node in nodes) for key in of]
    tried = [sum(node["indicators"].get(key) != "not measured" for node in nodes) for key in of]
    found = [[node["checks"][one] for node in nodes] for one in CHECK_NAMES]
    made = [sum(one["status"] != "not measured" for one in several) for several in found]
    told = [sum(bool(one["nonzero"]) for one in several) for several in found]
    return [len(nodes), *checks, *held, *tried, *made, *told]


CHECK_NAMES = (
    *("frequencies", "variants", "counts", "records", "refusals", "tiers", "in_time", "audit_log"),
    *("matching", "scores", "alerts", "comparisons", "metadata", "faults", "attacks"),
)


def grouped(digits: str) -> str:
    """Put commas between thousands."""
    head, point, tail = digits.partition(".")
    return re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", head) + point + tail


def rounded(value: Decimal, decimals: int) -> str:
    text = format(value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN), "f")
    return grouped(text.lstrip("-"))


def significant(value: Decimal) -> set[str]:
    """With three significant digits: plain, and in powers of ten."""
    if not value:
        return {"0"}
    short = Decimal(f"{value:.2e}")
    plain = format(short, "f").lstrip("-")
    bare = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return {grouped(plain), grouped(bare), re.sub("^-", "", f"{float(short):.3g}")}


def two_digits(value) -> set[str]:
    """Of intervals of draws and standard errors, which are not exact to more."""
    several = value if isinstance(value, list) else [value] if value is not None else []
    return {grouped(f"{Decimal(f'{abs(one):.1e}'):f}".removesuffix(".0")) for one in several}


def forms(value) -> set[str]:
    """All ways in which a page may write a value of the summary."""
    if isinstance(value, dict):
        drawn = [one for key, one in value.items() if key.endswith(("_interval", "_error"))]
        return set().union(*map(forms, value.values()), *map(two_digits, drawn))
    if isinstance(value, list | tuple):
        return set().union(*map(forms, value))
    if isinstance(value, str):
        return set(NUMBER.findall(value))
    if isinstance(value, bool) or value is None:
        return set()
    number = Decimal(repr(value))
    exact = grouped(format(number, "f").lstrip("-"))
    shares = {rounded(100 * number, digits) for digits in (0, 1)} if 0 <= number <= 1 else set()
    if 0 < number < 1:  # a share that is nearly nothing or nearly all is not written as such
        shares |= {"1", "99", "0.1", "99.9"} & {
            "1" if number < Decimal("0.01") else "",
            "99" if number > Decimal("0.99") else "",
            "0.1" if number < Decimal("0.001") else "",
            "99.9" if number > Decimal("0.999") else "",
        }
    whole = {exact.removesuffix(".0"), exact}
    if value in range(1990, 2101):
        whole.add(str(value))  # a year has no comma
    return whole | shares | {rounded(number, digits) for digits in (0, 4)} | significant(number)


def numbers_of(markup: str) -> list[str]:
    """All numbers that a reader sees, also in drawings."""
    drawn = [base64.b64decode(found).decode() for found in DRAWING.findall(markup)]
    texts = [markup, *("".join(re.findall("<text.*?</text>", one)) for one in drawn)]
    shown = " ".join(html.unescape(re.sub("<[^>]+>", " ", text)) for text in texts)
    return NUMBER.findall(shown)


def shown_on(page: str) -> dict[str, list[str]]:
    """The numbers of a page by section."""
    sections = {name: numbers_of(markup) for name, markup in SECTION.findall(page)}
    return {"lead": numbers_of(LEAD.search(page)[1])} | sections


def untraced(name: str, page: str, summary) -> list[tuple[str, str]]:
    """The numbers of a page that its parts of the summary do not have."""
    wrong, own = [], OWN_SECTIONS.get(name, lambda _: {})(summary)
    for section, numbers in shown_on(page).items():
        part = PARTS[name].get(section)
        known = forms(part(summary) if part else own.get(section))
        known |= set(NOT_OF_THE_RUN.get((name, section), ()))
        wrong += [(section, one) for one in numbers if one not in known]
    return wrong


@pytest.fixture
def of_the_file(summary):
    """The summary as a program reads it from the file."""
    return json.loads(json.dumps(summary))


@pytest.mark.parametrize("name", PARTS)
def test_every_number_of_a_page_is_in_the_summary(report, of_the_file, name):
    page = (report / name).read_text()
    assert sum(map(len, shown_on(page).values())) > 4
    assert untraced(name, page, of_the_file) == []


@pytest.mark.parametrize("code", ["BE", "FI"])
def test_every_number_of_the_evidence_of_a_node_is_in_the_summary(report, of_the_file, code):
    maturity = of_the_file["maturity"]
    known = forms([maturity["nodes"][code], maturity["indicators"], maturity["date"]])
    known |= forms(len(maturity["indicators"]) - len(maturity["nodes"][code]["indicators"]))
    numbers = shown_on((report / f"countries/{code}.html").read_text())["maturity"]
    assert len(numbers) > 10
    assert [one for one in numbers if one not in known] == []


@pytest.mark.parametrize("name", PARTS)
def test_a_figure_that_is_altered_is_found(report, of_the_file, name):
    """One digit more at the end of the first and the last long figure of each section."""
    page = (report / name).read_text()
    for section, numbers in shown_on(page).items():
        long = [one for one in numbers if len(one) > 2]
        for figure in {*long[:1], *long[-1:]}:
            start = page.index(f'aria-labelledby="{section}"') if section != "lead" else 0
            in_text = rf"(?<![\d.,]){re.escape(figure)}(?![\d,.]*\d)(?=[^<>]*<)"
            at = re.compile(in_text).search(page, start)
            if at is None:  # in a drawing
                continue
            altered = page[: at.end()] + "7" + page[at.end() :]
            assert (section, f"{figure}7") in untraced(name, altered, of_the_file)
