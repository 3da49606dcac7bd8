"""One person's genotypes as they are stored: the analysis vector and the standard record."""

from nebula.genome.record.vector import AnalysisVector, parse_vector

__all__ = ["AnalysisVector", "parse_vector"]
