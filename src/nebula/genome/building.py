"""Build a panel from the sites of a VCF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.panel import Panel
from nebula.genome.vcf.reader import VcfReader
from nebula.genome.vcf_assembly import stated_assembly

if TYPE_CHECKING:
    from nebula.genome.inflate import Source
    from nebula.genome.reference import Reference


def build_panel(
    source: Source,
    *,
    name: str,
    version: str,
    assembly: str | None = None,
    reference: Reference | None = None,
    lenient: bool = False,
) -> Panel:
    """Build a panel from every variant of a VCF that stands on a chromosome; genotypes are not needed.

    Args:
        source: the open VCF.
        name: of the panel, for people.
        version: of the panel.
        assembly: of the VCF; by default what its header says.
        reference: to check REF and left-align with; without it, alleles are only trimmed.
        lenient: whether records that break rules are left out.

    Raises:
        RejectedInputError: ``vcf.*``; ``vcf.wrong-assembly`` where the header says another or none.
    """
    reader = VcfReader(source, lenient=lenient, reference=reference)
    stated = stated_assembly(reader.header)
    if stated is None and assembly is None:
        source.refuse("wrong-assembly", "the header does not say which assembly", hint="name the assembly")
    if None not in (stated, assembly) and stated != assembly:
        source.refuse("wrong-assembly", f"the header says {stated}, not {assembly}", hint="name the right one")
    keys = []
    long_alleles: dict[int, tuple[str, str]] = {}
    for batch in reader:
        keys.append(batch.key[batch.key != 0])
        for row in np.flatnonzero(variant_keys.hashed(batch.key)).tolist():
            key, alleles = int(batch.key[row]), (batch.reference[row], batch.alternate[row])
            if long_alleles.setdefault(key, alleles) != alleles:
                source.refuse("key-collision", f"line {batch.line[row]}: two variants have the VariantKey {key:016x}")
    found = np.unique(np.concatenate(keys)) if keys else np.zeros(0, np.uint64)
    if not len(found):
        source.refuse("no-variants", "the file has no variant on a chromosome")
    return Panel(name, version, stated or assembly or "", found, long_alleles)
