"""Makes datasets findable: metadata in RDF, the survey's answers, a research object crate."""
