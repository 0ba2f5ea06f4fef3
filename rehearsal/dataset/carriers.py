"""The people of a dataset who carry planted variants: alone, or in families."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rehearsal.dataset.variant_names import without_carriers
from rehearsal.errors import Complaints, InputError, shown
from rehearsal.genomes.assembly import is_autosomal
from rehearsal.model import Patient, PlantedVariant, Sex, Variant

STORY = "planted"  # carriers are planned as patients of a story with this name
SIZE_OF_FAMILY = 4  # mother, father, a child who has the genotype, and one who has no copy
BORN = (1940, 2005)
PARENTS_BORN, CHILDREN_BORN = (1950, 1962), (1980, 1995)


@dataclass
class CarrierPlan:
    """Who carries which variants.

    Args:
        numbers: People by country code.
        read: Reads the name of a variant.
        source: The command, for errors.
    """

    numbers: Mapping[str, int]
    read: Callable[[str], PlantedVariant]
    source: str
    planted: dict[Variant, PlantedVariant] = field(default_factory=dict)
    patients: list[Patient] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with everybody free."""
        self._room = dict(self.numbers)

    def add(self, option: str, orders: Mapping[str, int], complaints: Complaints) -> None:
        """Plan the carriers of one option.

        Args:
            option: ``--plant`` for people alone, ``--plant-family`` for families.
            orders: Numbers of people or families by genotype: ``VARIANT`` for one copy,
                ``VARIANT/VARIANT`` for an allele on each of a person's two haplotypes.
            complaints: Collects what cannot be.
        """
        for text, number in orders.items():
            with complaints.collected():
                self._add(option, text, number)

    def _add(self, option: str, text: str, number: int) -> None:
        key, in_family = f"{option} {text}", option == "--plant-family"
        genotype = [self.read(name) for name in text.split("/")]
        _check_genotype(genotype, in_family, self.source, key)
        size = SIZE_OF_FAMILY if in_family else 1
        units = {code: room // size for code, room in self._room.items()}
        self._check_number(number, sum(units.values()), in_family, key)
        for code, share in apportion(number, units).items():
            self._room[code] -= size * share
            for _ in range(share):
                self.patients += self._people(genotype, code, in_family, key)
        for one in genotype:
            self.planted.setdefault(one.variant, without_carriers(one))

    def _check_number(self, number: int, most: int, in_family: bool, key: str) -> None:
        if number < 1:
            expected = f"at least 1 {'family' if in_family else 'carrier'}"
            raise InputError(self.source, key, expected, shown(number))
        if number > most:
            left = "" if self._room == self.numbers else ", each of whom carries one genotype"
            families = "family" if most == 1 else "families"
            carriers = "carrier" if most == 1 else "carriers"
            whom = f"{families} of {SIZE_OF_FAMILY}" if in_family else carriers
            expected = f"at most {most} {whom}, the number of people left{left}"
            raise InputError(self.source, key, expected, shown(number))

    def _people(
        self, genotype: Sequence[PlantedVariant], code: str, in_family: bool, key: str
    ) -> Iterator[Patient]:
        first = len(self.patients)
        variants = [one.variant for one in genotype]
        copies = {one: variants.count(one) for one in variants}
        if not in_family:
            sex = _sex_of(variants, first)
            yield self._patient(first, code, sex, BORN, copies, key)
            return
        parents = str(first), str(first + 1)
        child: Sex = "male" if _on_x(variants[0]) else "female"
        carried = [{variants[0]: 1}, dict.fromkeys(variants[1:], 1), copies, {}]
        sexes: tuple[Sex, ...] = ("female", "male", child, "male")
        for number, (sex, own) in enumerate(zip(sexes, carried, strict=True)):
            born = PARENTS_BORN if number < 2 else CHILDREN_BORN
            of = parents if number >= 2 else (None, None)
            yield self._patient(first + number, code, sex, born, own, key, of)

    def _patient(
        self,
        number: int,
        code: str,
        sex: Sex,
        born: tuple[int, int],
        carries: Mapping[Variant, int],
        key: str,
        parents: tuple[str | None, str | None] = (None, None),
    ) -> Patient:
        return Patient(
            story=STORY,
            handle=str(number),
            country=code,
            sex=sex,
            born=born,
            where=(self.source, key),
            mother=parents[0],
            father=parents[1],
            carries=dict(carries),
        )


def _check_genotype(
    genotype: Sequence[PlantedVariant], in_family: bool, source: str, key: str
) -> None:
    """Refuse genotypes that nobody can have."""
    if len(genotype) > 2:
        expected = "one variant, or two with / between them"
        raise InputError(source, key, expected, f"{len(genotype)} variants")
    for one in genotype:
        contig, start = one.variant.contig, one.variant.start
        alone = len(genotype) == 1
        fits = is_autosomal(contig, start) or (contig == "chrX" and (alone or not in_family))
        if not fits and (in_family or not alone):
            whom = "whose inheritance from both parents is seen" if in_family else "with two copies"
            raise InputError(source, key, f"a variant {whom}", f"one on {contig}")


def _on_x(variant: Variant) -> bool:
    return variant.contig == "chrX" and not is_autosomal(variant.contig, variant.start)


def _sex_of(variants: Sequence[Variant], number: int) -> Sex:
    """Women carry on X, men on Y, and both by turns elsewhere."""
    if any(map(_on_x, variants)):
        return "female"
    if any(one.contig == "chrY" for one in variants):
        return "male"
    return "female" if number % 2 else "male"


def apportion(total: int, room: Mapping[str, int]) -> dict[str, int]:
    """Share a number out in proportion to sizes, by the largest remainder.

    Ties go to the first. No share exceeds its size.

    Args:
        total: The number to share out, at most the sum of the sizes.
        room: Sizes by name.

    Returns:
        Shares by name, which add up to ``total``.
    """
    everything = sum(room.values())
    dealt = {code: total * size // everything for code, size in room.items()}
    by_remainder = sorted(room, key=lambda code: -(total * room[code] % everything))
    for code in by_remainder[: total - sum(dealt.values())]:
        dealt[code] += 1
    return dealt
