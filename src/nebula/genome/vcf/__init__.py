"""VCF 4.1 to 4.5, read strictly: a file is accepted whole or refused with line, field and rule."""

from nebula.genome.vcf.header import VcfHeader
from nebula.genome.vcf.reader import VariantBatch, VcfReader

__all__ = ["VariantBatch", "VcfHeader", "VcfReader"]
