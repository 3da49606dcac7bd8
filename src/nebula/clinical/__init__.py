"""Clinical facts: phenotype tables with units, missing where the source does not say."""
