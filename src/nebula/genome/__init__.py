"""Genomes: strict readers, panels, packed records and cohorts of them.

Sites are ordered, genotypes are codes of two bits: the number of alternate alleles, 0 to 2, or 3 for
missing. What a file does not say is missing, never the reference.
"""
