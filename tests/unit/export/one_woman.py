"""The genotypes of one woman, allele by allele."""

import pandas as pd
import tskit

from rehearsal.export.genotypes import Genotypes
from rehearsal.genomes.structural import SITE_SCHEMA


def genotypes_of(length, region, alleles):
    """Genotypes on chr22. An allele: position, ref, alt, haplotypes, metadata of its site."""
    tables = tskit.TableCollection(length)
    tables.individuals.add_row()
    for _ in range(2):
        tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=0, individual=0)
    tables.nodes.add_row(time=1)
    for child in range(2):
        tables.edges.add_row(0, length, 2, child)
    tables.sites.metadata_schema = SITE_SCHEMA
    for position, ref, alt, haplotypes, metadata in alleles:
        site = tables.sites.add_row(position, ref, metadata=metadata)
        for node in haplotypes:
            tables.mutations.add_row(site, node, alt)
    tables.sort()
    tables.build_index()
    people = pd.DataFrame({"id": ["FI-000001"], "country": ["FI"], "sex": ["female"]})
    return Genotypes.of([tables.tree_sequence()], "chr22", people, regions=[region])
