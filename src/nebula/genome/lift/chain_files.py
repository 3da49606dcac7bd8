"""Which chain file leads from one assembly to another, and whether one that was given does, or was needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nebula.genome.inflate import Source
    from nebula.genome.lift.chain import Chain

_UCSC = {"NCBI36": "hg18", "GRCh37": "hg19", "GRCh38": "hg38"}


def chain_hint(old: str, new: str) -> str:
    """What to give to have a file on ``old`` carried to ``new``, by the names of assemblies here."""
    first, second = _UCSC[old], _UCSC[new]
    name = f"{first}To{second[0].upper()}{second[1:]}.over.chain.gz"
    return f"give --chain {name}, from https://hgdownload.soe.ucsc.edu/goldenPath/{first}/liftOver/"


def chain_not_needed(assembly: str) -> str:
    """What a person is told whose file is on the panel's assembly already."""
    return f"the chain file was not needed: the file is on {assembly} already"


def check_chain(chain: Chain, assembly: str, source: Source) -> None:
    """Refuse a chain file that is known to lead elsewhere than to the panel's assembly.

    Raises:
        RejectedInputError: ``chain``, of the source's kind.
    """
    if chain.new is not None and chain.new != assembly:
        source.refuse(
            "chain",
            f"the chain file leads to {chain.new}, the panel is on {assembly}",
            hint=f"give a chain file that leads to {assembly}",
        )
