"""GA4GH htsget 1.3: a node sends the genotypes of its people as VCF or BCF, whole or by region."""
