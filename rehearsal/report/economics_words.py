"""Words of the page on costs and effects of care: what its terms and assumptions mean."""

from __future__ import annotations

TERMS = (
    (
        "QALY",
        "A quality-adjusted year of life: a year in full health counts 1, a year in worse health "
        "less, and death 0.",
    ),
    ("Utility", "What a year in a state of health counts, from 0 to 1."),
    (
        "Discounting",
        "What is paid or gained later counts less, by the discount rate for each year.",
    ),
    (
        "Euro per QALY",
        "What one more QALY costs, compared with usual care: the difference in costs divided by "
        "the difference in QALYs (incremental cost-effectiveness ratio, ICER). It is a number only "
        "where care gains and costs more.",
    ),
    (
        "Dominant, dominated",
        "Dominant care gains QALYs and costs less than usual care. Dominated care costs more and "
        "gains none. Where care saves money and loses QALYs, only the net benefit tells whether "
        "it is worth it.",
    ),
    (
        "Net benefit",
        "QALYs gained times what a QALY is taken to be worth, less what the care costs more. Above "
        "0, the care is worth its costs to those who would pay as much for a QALY.",
    ),
    (
        "Hazard ratio",
        "How many times as often people fall ill, or die, as others of the same age: 0.5 is half "
        "as often.",
    ),
    (
        "Polygenic score",
        "A number for each person from many places of the genome; people with a higher one fall "
        "ill more often. A standard deviation is its usual distance from the mean: one person in "
        "six is more than one above it.",
    ),
    (
        "Carrier",
        "A person with a variant of a gene that makes the disease likely.",
    ),
    ("First-degree relatives", "Parents, children, brothers and sisters."),
    (
        "95% interval",
        "Uncertain assumptions are drawn at random many times, all together. 95% of the draws give "
        "a figure in the interval. What is not drawn is not in it.",
    ),
    (
        "Standard error, drawn as",
        "How uncertain an assumption is, and the distribution from which it is drawn: lognormal "
        "for ratios, gamma for costs and rates, beta for shares.",
    ),
    (
        "Pooled people, truth",
        "The same computed from all people in one place, and from lives that were simulated one by "
        "one by the same assumptions. No real network has either.",
    ),
)
ASSUMPTIONS = {  # what each is, and its unit
    "discount_rate": ("Discount rate", "a year"),
    "euro_per_qaly": ("Worth of a QALY", "€"),
    **{
        f"mortality_{name}_{sex}": (f"Deaths of {people}, {words}", unit)
        for sex, people in (("female", "women"), ("male", "men"))
        for name, words, unit in (
            ("mode", "usual age", "years"),
            ("slope", "rise with age", "a year"),
        )
    },
    "hazard_ratio_per_sd": ("Hazard ratio of the score", "ratio"),
    "test_euro": ("Price of the test", "€"),
    "treatment_euro_a_year": ("Treatment", "€ a year"),
    "hazard_ratio_of_treatment": ("Hazard ratio of treatment", "ratio"),
    "disutility_of_treatment": ("Burden of treatment", "utility"),
    "event_euro": ("Costs of falling ill", "€"),
    "ill_euro_a_year": ("Costs of being ill", "€ a year"),
    "event_qaly": ("Loss by falling ill", "QALY"),
    "utility_well": ("Utility of being well", "utility"),
    "utility_ill": ("Utility of being ill", "utility"),
    "fatality": ("Die of falling ill", "share"),
    "mortality_ratio_ill": ("Mortality ratio of the ill", "ratio"),
    "carrier_share": ("Relatives who carry it", "share"),
    "examination_euro_a_year": ("Examinations", "€ a year"),
    "surgery_share": ("Carriers who have surgery", "share"),
    "surgery_euro": ("Price of surgery", "€"),
    "surgery_qaly": ("Loss by surgery", "QALY"),
    "hazard_ratio_of_surgery": ("Hazard ratio of surgery", "ratio"),
    "risk_ratio": ("Risk of the disease, times", "ratio"),
    "risk_ratio_of_others": ("Risk without a variant, times", "ratio"),
    "deaths_a_year_ill": ("Deaths of the ill", "hazard a year"),
    "hazard_ratio_of_examination": ("Hazard ratio, found early", "ratio"),
}
