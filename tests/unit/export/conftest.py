"""A few people and their clinical tables."""

import pandas as pd
import pytest


def frame(columns, *rows):
    return pd.DataFrame(rows, columns=columns.split())


@pytest.fixture
def people():
    return frame(
        "id country sex birth_year family father mother",
        ("FI-1", "FI", "female", 1966, "FI-F1", None, None),
        ("FI-2", "FI", "male", 1990, "FI-F1", None, "FI-1"),
    )


@pytest.fixture
def tables():
    run = "mean_autosome_coverage yield_bp_q30 pct_reads_mapped"
    treatment = (
        "individual code label dose_mg doses_per_day start_age end_age start_date end_date "
        "response response_label adverse_event"
    )
    return {
        "subjects": frame(
            "individual birth_date", ("FI-1", "1966-02-28"), ("FI-2", "1990-12-31")
        ),
        "diseases": frame(
            "individual code label age_of_onset", ("FI-1", "ICD10:C50", "Breast cancer", 41)
        ),
        "measurements": frame(
            "individual code label value unit age",
            ("FI-1", "LOINC:22748-8", "LDL cholesterol", 3.25, "mmol/L", 60),
        ),
        "features": frame(
            "individual code label age_of_onset", ("FI-1", "HP:0003002", "Breast carcinoma", 41)
        ),
        "exposures": frame(
            "individual code label value value_label age",
            ("FI-2", "LOINC:72166-2", "Smoking status", "SNOMEDCT:8517006", "Ex-smoker", 36),
        ),
        "treatments": frame(
            treatment,
            ("FI-1", "ATC:L02BA01", "tamoxifen", 20.0, 2, 41, 46, "2007-05-28", "2012-05-28",
             "NCIT:C4870", "Remission", None),
            ("FI-1", "ATC:L01CD02", "docetaxel", None, None, 42, None, "2008-06-01", None,
             None, None, "HP:0003198"),
        ).astype({"end_age": "Int16", "doses_per_day": "Int16"}),
        "missing": frame(
            "individual table code label null_flavour",
            ("FI-2", "measurements", "LOINC:22748-8", "LDL cholesterol", "NASK"),
            ("FI-1", "treatments", "ATC:L01CD02", "docetaxel", "UNK"),
        ),
        "biosamples": frame(
            "id individual tissue tissue_label sample_type sample_type_label collection_date "
            "collection_age",
            ("FI-1-BS", "FI-1", "UBERON:0000178", "blood", "NCIT:C17610", "Blood", "2024-01-01",
             57),
        ),
        "runs": frame(
            f"id biosample individual run_date target platform platform_label {run}",
            ("FI-1-RUN", "FI-1-BS", "FI-1", "2024-02-01", "WGS", "OBI:0002630", "NovaSeq", 31.5,
             10**11, 99.8),
        ),
        "analyses": frame(
            "id run biosample individual analysis_date pipeline aligner variant_caller count_snvs",
            ("FI-1-AN", "FI-1-RUN", "FI-1-BS", "FI-1", "2024-03-01", "Rehearsal", "none", "none",
             9),
        ),
    }  # fmt: skip
