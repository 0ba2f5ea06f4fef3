"""The terminologies that phenopackets cite, by the prefix of their CURIEs."""

from __future__ import annotations

from collections.abc import Iterable

OBO = "http://purl.obolibrary.org/obo/"
UNPINNED = "unspecified"  # codes come from the configuration, which names no release

# prefix: name, url, IRI prefix
KNOWN = {
    "ATC": (
        "Anatomical Therapeutic Chemical Classification",
        "https://atcddd.fhi.no/atc_ddd_index/",
        "https://atcddd.fhi.no/atc_ddd_index/?code=",
    ),
    "GENO": ("Genotype Ontology", f"{OBO}geno.owl", f"{OBO}GENO_"),
    "HGNC": (
        "HUGO Gene Nomenclature Committee",
        "https://www.genenames.org",
        "https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/",
    ),
    "HP": ("Human Phenotype Ontology", f"{OBO}hp.owl", f"{OBO}HP_"),
    "LOINC": (
        "Logical Observation Identifiers Names and Codes",
        "https://loinc.org",
        "https://loinc.org/",
    ),
    "MONDO": ("Mondo Disease Ontology", f"{OBO}mondo.owl", f"{OBO}MONDO_"),
    "NCBITaxon": ("NCBI organismal classification", f"{OBO}ncbitaxon.owl", f"{OBO}NCBITaxon_"),
    "NCIT": ("NCI Thesaurus", f"{OBO}ncit.owl", f"{OBO}NCIT_"),
    "NullFlavor": (
        "HL7 version 3 NullFlavor",
        "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
        "http://terminology.hl7.org/CodeSystem/v3-NullFlavor#",
    ),
    "SNOMEDCT": ("SNOMED CT", "http://snomed.info/sct", "http://snomed.info/id/"),
    "UBERON": ("Uber-anatomy ontology", f"{OBO}uberon.owl", f"{OBO}UBERON_"),
    "UCUM": (
        "Unified Code for Units of Measure",
        "https://ucum.org",
        "https://ucum.org/ucum#",
    ),
}


def resources(prefixes: Iterable[str]) -> list[dict[str, str]]:
    """Build one Phenopackets ``Resource`` per prefix, in order.

    Args:
        prefixes: Prefixes of CURIEs. An unknown terminology is cited by its entry in the
            Bioregistry.
    """
    found = []
    for prefix in sorted(set(prefixes)):
        registry = f"https://bioregistry.io/{prefix.lower()}"
        name, url, iri = KNOWN.get(prefix, (prefix, registry, f"{registry}:"))
        found.append(
            {
                "id": prefix.lower(),
                "name": name,
                "url": url,
                "version": UNPINNED,
                "namespacePrefix": prefix,
                "iriPrefix": iri,
            }
        )
    return found
