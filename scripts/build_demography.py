"""Build the demographic model of a run, draw it, and compute its expected F_ST."""

import demes
import pandas as pd

from rehearsal.demography.drawing import draw_model
from rehearsal.demography.expected_fst import expected_coalescence_times, hudson_fst
from rehearsal.demography.model import build_model, read_model
from rehearsal.demography.parameters import read_parameters
from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    countries = smk.params.countries
    if smk.input.model:
        graph = read_model(smk.input.model[0], countries)
    else:
        graph = build_model(countries, read_parameters(smk.input.parameters))
    with atomic_path(smk.output.model) as path:
        demes.dump(graph, path)
    draw_model(graph, smk.output.drawing)
    codes = [country.code for country in countries]
    fst = hudson_fst(expected_coalescence_times(graph, codes))
    with atomic_path(smk.output.expected) as path:
        pd.DataFrame(fst, index=codes, columns=codes).to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
