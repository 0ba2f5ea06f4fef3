"""Metadata that make datasets findable: RDF, answers to a survey, a research object crate."""
