"""PLINK 1 binary files: ``.bed`` with everyone's genotypes, ``.bim`` with the sites, ``.fam`` with the people.

Format: https://www.cog-genomics.org/plink/1.9/formats. The three files do not say their assembly, nor which of a
site's two alleles is the reference's: the panel and, where it is given, the reference genome tell.
"""
