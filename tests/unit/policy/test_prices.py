"""The tables of prices and of gross domestic products, and complaints about them."""

from datetime import date
from pathlib import Path

import pytest

from rehearsal.errors import InputError
from rehearsal.policy.prices import UNITS, read_gdp, read_prices

from ..altered_files import refusal_of_change
from .conftest import ROOT

PRICES = ROOT / "config" / "prices.tsv"
GDP = ROOT / "config" / "gdp.tsv"
COUNTRIES = [line.split("\t")[0] for line in (ROOT / "config/countries.tsv").open()][1:]


def test_prices_are_converted_to_the_units_of_the_model(tmp_path):
    storage = read_prices(PRICES)["storage"]
    # 0.02 EUR for a gigabyte and month are 240 EUR for a terabyte and year
    assert storage.mid == pytest.approx(240 / 1e12)
    assert read_prices(PRICES)["computing"].mid == pytest.approx(0.04 / 3600)
    other = tmp_path / "prices.tsv"
    text = PRICES.read_text()
    other.write_text(text.replace("gigabyte/month\t0.01\t0.02", "terabyte/year\t120\t240"))
    with pytest.raises(InputError, match="storage: expected low, mid, high in that order"):
        read_prices(other)
    other.write_text(
        text.replace("gigabyte/month\t0.01\t0.02\t0.05", "terabyte/year\t120\t240\t600")
    )
    assert read_prices(other)["storage"].high == pytest.approx(storage.high)


def test_what_is_from_memory_is_marked_and_every_source_says_where_it_is_from():
    prices = read_prices(PRICES)
    assert set(prices) == set(UNITS)
    marks = ("(m)", "(r)", "(measured)")
    assert all(any(mark in one.source for mark in marks) for one in prices.values())
    assert not prices["storage"].from_memory
    assert prices["salary"].from_memory


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("2024\tan engineer", "\tan engineer", "line 7: year: expected a year from 1990 to"),
        ("2024\tan engineer", "24\tan engineer", "year: expected a year from 1990 to"),
        (
            "legal work and audits in a country whose data of persons leave it (m)",
            "",
            "source: exp",
        ),
        ("salary\tEUR/year", "salary\tEUR", "line 7: unit: expected a unit such as EUR / year"),
        ("salary\tEUR/year", "salary\tguilders", "unit: expected a unit such as EUR / year"),
        ("storage\tEUR/gigabyte", "storage\tEUR/metre", "line 2: unit: expected a unit such as"),
        ("salary\tEUR/year\t50000", "salary\tEUR/year\t-1", "low: expected a number of at least 0"),
        ("salary\tEUR/year\t50000", "salary\tEUR/year\tnan", "low: expected a number of at least"),
        ("salary\tEUR/year\t50000", "salary\tEUR/year\t99999", "low, mid, high in that order"),
        (
            "copies\tcopies\t2\t2\t3",
            "copies\tcopies\t0\t0\t0",
            "low: expected from 1 to 1e\\+15 copies, found 0",
        ),
        ("copies\tcopies\t2\t2\t3", "copies\tpercent\t2\t2\t3", "unit such as copies, found"),
        ("salary\tEUR/year\t50000", "salary\t-1 EUR/year\t50000", "line 7: unit: expected a unit"),
        ("salary\tEUR/year\t50000", "salary\tnan EUR/year\t50000", "line 7: unit: expected a unit"),
        ("salary\tEUR/year\t50000", "salary\tEUR/year\t50_000", "line 7: low: expected a number"),
        ("exponent\t0.72", "exponent\t72", "low, mid, high in that order|from 0 to 2 exponent"),
        ("salary\tEUR", "wages\tEUR", "line 7: item: expected one of storage, transfer"),
        ("node_staff\tpeople", "salary\tEUR/year", "line 8: item: expected an item once"),
        ("item\tunit", "item\tunits", "line 1: expected the columns item, unit, low, mid"),
        ("salary\tEUR/year\t", "salary\tEUR/year ", "line 7: expected 7 cells, found 6"),
    ],
)
def test_unusable_prices_are_refused_in_one_line(tmp_path: Path, old, new, complaint):
    refusal_of_change(PRICES, old, new, read_prices, tmp_path, complaint)


# a unit of each kind that a table can name by mistake
A_UNIT = (
    *("EUR", "EUR/year", "EUR/hour", "EUR/gigabyte", "EUR/gigabyte/month", "people", "byte"),
    *("gigabyte", "bit", "copies", "questions", "questions/year", "1/year", "percent", "exponent"),
    *("radian", "count", "radian/year", "copies/year", "metre", "second"),
)
FITS = {
    "storage": {"EUR/gigabyte/month"},
    "transfer": {"EUR/gigabyte"},
    "computing": {"EUR/year", "EUR/hour"},
    **{one: {"EUR/year", "EUR/hour"} for one in ("node_server", "centre_server")},
    **{one: {"EUR/year", "EUR/hour"} for one in ("salary", "agreement")},
    "reads": {"byte", "gigabyte", "bit"},
    "copies": {"copies"},
    "renewal": {"1/year"},
    "questions": {"questions/year"},
    **{one: {"exponent"} for one in ("storage_growth", "store_growth", "computing_growth")},
}
STAFF = ("node_staff", "network_staff", "centre_staff", "delivery_staff", "summary_staff")
FITS |= {one: {"people"} for one in STAFF}


@pytest.mark.parametrize("item", UNITS)
@pytest.mark.parametrize("unit", A_UNIT)
def test_a_unit_of_another_kind_is_refused_for_every_item(tmp_path, item, unit):
    rows = [line.split("\t") for line in PRICES.read_text().splitlines()]
    changed = ["\t".join([row[0], unit, *row[2:]] if row[0] == item else row) for row in rows]
    path = tmp_path / "prices.tsv"
    path.write_text("\n".join(changed))
    number = 1 + [row[0] for row in rows].index(item)
    if unit in FITS[item]:
        assert read_prices(path)[item].unit == unit
    else:
        with pytest.raises(InputError, match=f"line {number}: unit: expected a unit such as"):
            read_prices(path)


def test_a_figure_of_a_year_to_come_is_refused(tmp_path):
    year = date.today().year
    refusal_of_change(PRICES, "2024\tan eng", f"{year + 1}\tan eng", read_prices, tmp_path, "year")
    refusal_of_change(GDP, "584.5\t2023", f"584.5\t{year + 1}", read_gdp, tmp_path, f"to {year}")


def test_a_cell_that_is_too_long_is_one_line(tmp_path):
    long = "x" * 200_000
    refusal_of_change(PRICES, "an engineer", long, read_prices, tmp_path, "line 7: expected a tab")
    refusal_of_change(GDP, "584.5", long, read_gdp, tmp_path, "line 3: expected a tab-separated")


def test_a_table_of_products_without_countries_is_refused(tmp_path):
    path = tmp_path / "gdp.tsv"
    path.write_text(GDP.read_text().splitlines()[0])
    with pytest.raises(InputError, match="expected a country with its gross domestic product"):
        read_gdp(path)


def test_a_quotation_mark_in_a_source_ends_with_its_line(tmp_path):
    path = tmp_path / "prices.tsv"
    path.write_text(PRICES.read_text().replace("an engineer", '"an engineer', 1))
    assert read_prices(path)["salary"].source.startswith('"an engineer')


def test_a_capital_mark_is_a_mark_too(tmp_path):
    path = tmp_path / "prices.tsv"
    path.write_text(PRICES.read_text().replace("(m)", "(M)"))
    marks = [price.from_memory for price in read_prices(path).values()]
    assert marks == [price.from_memory for price in read_prices(PRICES).values()] and any(marks)


def test_a_price_that_is_missing_is_named(tmp_path):
    path = tmp_path / "prices.tsv"
    path.write_text("".join(line for line in PRICES.open() if not line.startswith("salary")))
    with pytest.raises(InputError, match="item: expected a price of salary, found none"):
        read_prices(path)


def test_every_country_of_the_table_has_a_product():
    assert set(read_gdp(GDP)) == set(COUNTRIES)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("BE\t584.5\t2023", "BE\t584.5\t", "line 3: year: expected a year"),
        ("BE\t584.5", "BE\t0", "line 3: expected a country once, above 0"),
        ("BE\t584.5", "AT\t584.5", "line 3: expected a country once, above 0"),
        ("BE\t584.5", "be\t584.5", "line 3: country: expected a code such as AT, found 'be'"),
        ("BE\t584.5", "Belgium\t584.5", "line 3: country: expected a code such as AT"),
        ("BE\t584.5", "\t584.5", "line 3: country: expected a code such as AT, found ''"),
        ("BE\t584.5", "BE\t584500", "billion_eur: expected at most 100,000 billion euros"),
        ("BE\t584.5", "BE\tmuch", "line 3: billion_eur: expected a number of at least 0"),
    ],
)
def test_unusable_products_are_refused_in_one_line(tmp_path, old, new, complaint):
    path = tmp_path / "gdp.tsv"
    path.write_text(GDP.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=complaint):
        read_gdp(path)
