"""From the sites of a PLINK file set to a panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.chromosomes import NAMES, assembly_by_lengths
from nebula.genome.panel import Panel
from nebula.genome.plink.alleles import find_reference_alleles
from nebula.genome.plink.sites import read_sites

if TYPE_CHECKING:
    from nebula.genome.plink.files import PlinkFiles
    from nebula.genome.reference import Reference


def build_plink_panel(
    files: PlinkFiles, *, name: str, version: str, assembly: str | None, reference: Reference | None
) -> Panel:
    """Build a panel from the sites of a PLINK file set.

    Args:
        files: the three open files; genotypes are not read.
        name: of the panel, for people.
        version: of the panel.
        assembly: of the file set; by default that whose chromosomes are as long as the reference genome's.
        reference: the reference genome; nothing else tells which allele is REF.

    Raises:
        RejectedInputError: ``plink.no-reference``, ``plink.wrong-assembly``, ``plink.no-sites``,
            ``plink.key-collision``.
    """
    if reference is None:
        files.sites.refuse(
            "no-reference",
            "which allele is REF, its lines do not prove",
            hint="give --reference GENOME.fa as well: it says which of a site's alleles is REF",
        )
    sites = read_sites(files.sites)
    known = _assembly_of(files, reference, assembly)
    found = find_reference_alleles(files.sites, sites, panel=None, assembly=known, reference=reference)
    keys: dict[int, tuple[str, str]] = {}
    for row in found.kept().tolist():
        _, reference_allele, alternate, key = found.oriented(row)
        if keys.setdefault(key, (reference_allele, alternate)) != (reference_allele, alternate):
            files.sites.refuse("key-collision", f"line {sites.line(row)}: two variants have the VariantKey {key:016x}")
    if not keys:
        files.sites.refuse("no-sites", "of no site the reference genome knows which allele is REF")
    long_alleles = {key: alleles for key, alleles in keys.items() if key & 1}
    return Panel(name, version, known, np.array(sorted(keys), np.uint64), long_alleles)


def _assembly_of(files: PlinkFiles, reference: Reference, stated: str | None) -> str:
    layouts = {name: reference.layout(name) for name in NAMES[1:]}
    measured = assembly_by_lengths({name: layout[0] for name, layout in layouts.items() if layout is not None})
    if None not in (stated, measured) and stated != measured:
        files.sites.refuse(
            "wrong-assembly", f"the reference genome is {measured}, not {stated}", hint="name the right one"
        )
    known = stated or measured
    if known is None:
        files.sites.refuse("wrong-assembly", "it does not say which assembly", hint="name it: --assembly GRCh38")
    return known
