"""How much of a file must fit a panel to prove that it is on the panel's assembly, whatever its format."""

#: So many places of single bases must meet the panel before their letters can prove an assembly.
ENOUGH_MARKERS = 30
#: And such a share of what could meet: stretches that did not move between assemblies let a few meet the wrong one.
ENOUGH_SHARE = 0.01
#: Such a share of those that meet must have the panel's alleles.
ENOUGH_FIT = 0.9
