"""PLINK's binary files: genotypes (``.bed``, ``.pgen``), sites (``.bim``, ``.pvar``), people (``.fam``, ``.psam``).

Formats: https://www.cog-genomics.org/plink/1.9/formats and https://www.cog-genomics.org/plink/2.0/formats. The files do
not say their assembly, nor, or not surely, which of a site's alleles is the reference's: the panel and, where it is
given, the reference genome tell.
"""
