"""Genomes by region over HTTP: htsget 1.3 (samtools.github.io/hts-specs/htsget.html)."""
