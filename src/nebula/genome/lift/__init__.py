"""From one assembly to another, by the chain files of UCSC: positions, and the calls of a VCF.

Format: https://genome.ucsc.edu/goldenPath/help/chain.html
"""
