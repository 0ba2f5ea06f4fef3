"""The demes model of Europe: one present-day deme per country, named by its code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import demes
import msprime
import numpy as np
from numpy.typing import NDArray

from rehearsal.demography.expected_fst import root_sets
from rehearsal.demography.parameters import SOURCES, EuropeParameters, Migration
from rehearsal.demography.periods import change_times
from rehearsal.errors import InputError, cause, unreadable_file
from rehearsal.geography import country_distances_km
from rehearsal.model import Country

# Limits of a user's model. Genomes of a population that has always been larger would differ at more
# than 5 % of all bases (4 N mu, mu = 1.29e-8), so records would be many times those of people.
MOST_PEOPLE_OF_A_ROOT = 1_000_000
MOST_PEOPLE_OF_A_DEME = 1_000_000_000
MOST_GENERATIONS = 10_000_000  # 290 million years
REFERENCE_SOURCE = "NEO"  # the reference of the log-odds of all other sources


def migration_matrix(countries: Sequence[Country], migration: Migration) -> NDArray[np.float64]:
    """Compute the migration rates between all pairs of countries.

    A rate is ``rate * exp(-distance / distance_km)``, times ``sea_factor`` for each of the two
    countries that belongs to a sea group without the other. Rates below ``threshold`` are dropped.
    These rates are symmetric. Then every island receives at least ``island_floor`` from each of its
    ``island_links`` nearest countries; what it sends stays unchanged, so the others do not change.

    Args:
        countries: The k countries.
        migration: The parameters of migration.

    Returns:
        Rates per generation into the row's country from the column's, shape (k, k), with zeros on
        the diagonal.
    """
    distance = country_distances_km(countries)
    group_of = {code: name for name, codes in migration.sea_groups.items() for code in codes}
    groups = np.array([group_of.get(country.code, "land") for country in countries])
    at_sea = (groups != "land").astype(int)
    seas = np.where(groups[:, None] == groups, 0, at_sea[:, None] + at_sea)
    rates = migration.rate * np.exp(-distance / migration.distance_km) * migration.sea_factor**seas
    np.fill_diagonal(rates, 0.0)
    rates[rates < migration.threshold] = 0.0
    for i, country in enumerate(countries):
        if country.code in migration.islands:
            nearest = [j for j in np.argsort(distance[i], kind="stable") if j != i]
            for j in nearest[: migration.island_links]:
                rates[i, j] = max(rates[i, j], migration.island_floor)
    return rates


def source_shares(
    countries: Sequence[Country], parameters: EuropeParameters
) -> dict[str, NDArray[np.float64]]:
    """Compute the share of each ancient source in each country.

    The shares are a statistical device that gives realistic differences between countries. They
    do not estimate anyone's ancestry.

    Args:
        countries: The k countries.
        parameters: The parameters of the model.

    Returns:
        Shares by source, each of shape (k,); over the sources they add up to 1.
    """
    admixture = parameters.admixture
    latitude = np.array([country.latitude for country in countries])
    longitude = np.array([country.longitude for country in countries])
    north = (latitude - admixture.latitude_centre) / admixture.latitude_unit
    east = (longitude - admixture.longitude_centre) / admixture.longitude_unit
    odds = {
        name: np.exp(np.clip(line.level + line.latitude * north + line.longitude * east, -30, 30))
        for name, line in ((name, admixture.log_odds[name]) for name in SOURCES)
    }
    odds[REFERENCE_SOURCE] = np.ones(len(countries))
    total = sum(odds.values())
    return {name: value / total for name, value in odds.items()}


def build_model(countries: Sequence[Country], parameters: EuropeParameters) -> demes.Graph:
    """Build the model of countries, in units of generations.

    The model has an out-of-Africa trunk and ancient sources. Each country is an admixture of the
    sources at one time, followed by drift, sparse migration and recent growth.

    Args:
        countries: The countries.
        parameters: The parameters of the model.

    Returns:
        The model.

    Raises:
        InputError: There is no country.
    """
    if not countries:
        raise InputError("countries", "code", "at least one country", "none")
    builder = demes.Builder(
        time_units="generations",
        description="European countries: out-of-Africa trunk, ancient sources, "
        "admixture by place, isolation by distance",
    )
    _add_trunk(builder, parameters)
    _add_ancients(builder, parameters)
    _add_countries(builder, countries, parameters)
    _add_ancestries(builder, parameters)
    rates = migration_matrix(countries, parameters.migration)
    for i, j in zip(*np.nonzero(rates), strict=True):
        builder.add_migration(
            source=countries[j].code, dest=countries[i].code, rate=float(rates[i, j])
        )
    return builder.resolve()


def read_model(path: Path | str, countries: Sequence[Country]) -> demes.Graph:
    """Read a user's demes file and check that it can be simulated for the countries.

    Args:
        path: The demes file.
        countries: The countries; each needs a deme with its code as the name.

    Returns:
        The model, in units of generations.

    Raises:
        InputError: The file is no demes model, a country's deme is missing or ends before the
            present, a size changes in a way that msprime cannot simulate, or a country shares no
            ancestors with the others.
    """
    try:
        graph = demes.load(str(path)).in_generations()
    except OSError as error:
        found = unreadable_file(error)
        raise InputError(path, "file", "a demes model", found) from error
    except Exception as error:  # demes raises errors of many kinds, also those of YAML
        is_other = isinstance(error, AttributeError | IndexError)  # of another file than demes
        expected = "a demes model (a mapping with time_units and demes)"
        found = f"an invalid one ({cause(error) if is_other else error})"
        raise InputError(path, "file", expected, found) from error
    for country in countries:
        if country.code not in graph:
            raise InputError(path, country.code, f"a deme of this name ({country.name})", "none")
        end = graph[country.code].end_time
        if end > 0:
            found = f"one that ends {end:g} generations ago"
            raise InputError(path, country.code, "a deme that lives at time 0", found)
    _check_sizes(graph, path)
    _check_times(graph, path)
    _check_roots(graph, countries, path)
    return graph


def to_msprime(graph: demes.Graph) -> msprime.Demography:
    """Convert a model for msprime, completely, so that predictions describe what is simulated.

    Args:
        graph: The model.

    Returns:
        The demography.

    Raises:
        ValueError: msprime cannot simulate the model.
    """
    return msprime.Demography.from_demes(graph)


def _add_trunk(builder: demes.Builder, parameters: EuropeParameters) -> None:
    trunk, end = parameters.trunk, parameters.ancients.basal_split_time
    builder.add_deme(
        "ancestral", epochs=[{"start_size": trunk.ancestral_size, "end_time": trunk.african_time}]
    )
    builder.add_deme(
        "AMH",
        description="anatomically modern humans in Africa",
        ancestors=["ancestral"],
        epochs=[{"start_size": trunk.african_size, "end_time": end}],
    )
    builder.add_deme(
        "OOA",
        description="out of Africa",
        ancestors=["AMH"],
        start_time=trunk.out_of_africa_time,
        epochs=[{"start_size": trunk.out_of_africa_size, "end_time": end}],
    )
    builder.add_migration(demes=["OOA", "AMH"], rate=trunk.out_of_africa_migration)


def _add_ancients(builder: demes.Builder, parameters: EuropeParameters) -> None:
    ancients, end = parameters.ancients, parameters.admixture.time
    north, west = ancients.north_eurasian_split_time, ancients.west_asian_split_time
    for name, ancestor, size, end_time, description in (
        ("NorthEurasia", "OOA", ancients.north_eurasian_size, north, "basal northern Eurasians"),
        ("WestAsia", "OOA", ancients.west_asian_size, west, "basal western Asians"),
        ("WHG", "NorthEurasia", ancients.western_hunter_size, end, "western hunter-gatherers"),
        ("EHG", "NorthEurasia", ancients.eastern_hunter_size, end, "eastern hunter-gatherers"),
        ("CHG", "WestAsia", ancients.caucasus_size, end, "Caucasus hunter-gatherers"),
        ("ANA", "WestAsia", ancients.anatolian_size, end, "Anatolian farmers"),
    ):
        builder.add_deme(
            name,
            description=description,
            ancestors=[ancestor],
            epochs=[{"start_size": size, "end_time": end_time}],
        )
    hunters = ancients.farmer_hunter_share
    builder.add_deme(
        "NEO",
        description="early European farmers",
        start_time=ancients.farmer_time,
        ancestors=["WHG", "ANA"],
        proportions=[hunters, 1 - hunters],
        epochs=[{"start_size": ancients.farmer_size, "end_time": end}],
    )
    hunters = ancients.steppe_hunter_share
    builder.add_deme(
        "YAM",
        description="steppe herders",
        start_time=ancients.steppe_time,
        ancestors=["EHG", "CHG"],
        proportions=[hunters, 1 - hunters],
        epochs=[{"start_size": ancients.steppe_size, "end_time": end}],
    )


def _add_countries(
    builder: demes.Builder, countries: Sequence[Country], parameters: EuropeParameters
) -> None:
    shares = source_shares(countries, parameters)
    for i, country in enumerate(countries):
        builder.add_deme(
            country.code,
            description=country.name,
            start_time=parameters.admixture.time,
            ancestors=list(shares),
            proportions=[float(share[i]) for share in shares.values()],
            epochs=_country_epochs(country, parameters),
        )


def _add_ancestries(builder: demes.Builder, parameters: EuropeParameters) -> None:
    """Add populations outside Europe, for people of other ancestries. No migrants since then."""
    trunk, start = parameters.trunk, parameters.ancients.basal_split_time
    other = parameters.ancestries
    builder.add_deme(
        "AFR",
        description="Africa",
        ancestors=["AMH"],
        epochs=[{"start_size": trunk.african_size, "end_time": 0}],
    )
    now = other.east_asian_size * math.exp(other.east_asian_growth * start)
    builder.add_deme(
        "EAS",
        description="East Asia",
        ancestors=["OOA"],
        epochs=[{"start_size": other.east_asian_size, "end_size": now, "end_time": 0}],
    )
    caucasus, steppe = other.south_asian_caucasus_share, other.south_asian_steppe_share
    builder.add_deme(
        "SAS",
        description="South Asia",
        start_time=parameters.admixture.time,
        ancestors=["CHG", "YAM", "EAS"],
        proportions=[caucasus, steppe, 1 - caucasus - steppe],
        epochs=[{"start_size": other.south_asian_size, "end_time": 0}],
    )


def _country_epochs(country: Country, parameters: EuropeParameters) -> list[Mapping[str, float]]:
    """List a country's epochs: constant size, a bottleneck if any, then exponential growth.

    The present size is a share of the census, and at least the size before growth.
    """
    growth = parameters.growth
    now = max(growth.size, growth.census_share * country.census_millions * 1e6)
    events = (one for one in parameters.founders.values() if country.code in one.countries)
    founder = next(events, None)
    if founder is None:
        return [
            {"start_size": growth.size, "end_time": growth.start_time},
            {"start_size": growth.size, "end_size": now, "end_time": 0},
        ]
    return [
        {"start_size": growth.size, "end_time": founder.start_time},
        {"start_size": founder.size, "end_time": founder.end_time},
        {"start_size": founder.size, "end_size": now, "end_time": 0},
    ]


def _check_sizes(graph: demes.Graph, path: Path | str) -> None:
    for deme in graph.demes:
        for epoch in deme.epochs:
            if epoch.size_function not in ("constant", "exponential"):
                expected = "a constant or exponential size"
                raise InputError(path, deme.name, expected, f"a {epoch.size_function} one")
            most = MOST_PEOPLE_OF_A_ROOT if math.isinf(epoch.start_time) else MOST_PEOPLE_OF_A_DEME
            for size in (epoch.start_size, epoch.end_size):
                if not 1 <= size <= most:
                    since = "before all events" if most == MOST_PEOPLE_OF_A_ROOT else "at any time"
                    expected = f"a size from 1 to {most:,} {since}"
                    raise InputError(path, deme.name, expected, f"{size:g}")


def _check_times(graph: demes.Graph, path: Path | str) -> None:
    for time in change_times(graph):
        if MOST_GENERATIONS < time < math.inf:
            expected = f"events at most {MOST_GENERATIONS:,} generations ago"
            raise InputError(path, "time", expected, f"{time:g}")


def _check_roots(graph: demes.Graph, countries: Sequence[Country], path: Path | str) -> None:
    """Check that all countries come from the same ancestors."""
    roots = root_sets(graph, [country.code for country in countries])
    usual = max(roots, key=lambda found: (len(found) == 1, roots.count(found)))
    for country, found in zip(countries, roots, strict=True):
        if found != usual or len(found) != 1:
            expected = "ancestors in common with the other countries"
            raise InputError(path, country.code, expected, "none")
