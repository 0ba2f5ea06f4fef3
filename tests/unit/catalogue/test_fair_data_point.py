"""The documents of a FAIR Data Point lead from one to the next."""

from rdflib import Graph, URIRef

from rehearsal.catalogue.fair_data_point import fair_data_point_documents
from rehearsal.catalogue.health_dcat_ap import base_address

BASE = base_address("FI")


def test_every_document_of_a_fair_data_point_leads_on_to_the_next(graph):
    found = fair_data_point_documents(graph, BASE)
    pages = {
        place: Graph().parse(data=texts["text/turtle"], format="turtle")
        for place, texts in found["documents"].items()
    }
    at = "/fdp"
    for predicate in ("metadataCatalog", "dataset", "distribution"):
        here = URIRef(BASE + at.removeprefix("/"))
        (after, *_) = sorted(
            str(value)
            for name, value in pages[at].predicate_objects(here)
            if str(name).endswith(predicate)
        )
        at = "/" + after.removeprefix(BASE)
        assert at in pages
