"""A guess at chromosomal sex from the calls on X: a check on mixed-up samples, never a phenotype."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.genome import keys as variant_keys
from nebula.genome.chromosomes import X_NOT_PSEUDOAUTOSOMAL, X
from nebula.genome.vcf.reader import CallForm

if TYPE_CHECKING:
    from nebula.genome.calls import Calls

_ENOUGH_CALLS = 50
_MOSTLY = 0.5
#: Women of the 1000 Genomes Project are heterozygous at a fifth of the sites on X that vary among 26 of its people,
#: men at none but by mistake. The borders leave room for rarer sites, and for mistakes.
_FEW_HETEROZYGOUS, _MANY_HETEROZYGOUS = 0.02, 0.06


def guess_sex(calls: Calls, assembly: str) -> list[str]:
    """``male``, ``female`` or ``unclear`` for each person.

    Male where most calls on X outside the pseudo-autosomal regions have one copy, or hardly any that has two
    is heterozygous; female where many are; unclear in between and below 50 calls.
    """
    rows = calls.rows_between(*variant_keys.between(X, *X_NOT_PSEUDOAUTOSOMAL[assembly]))
    if len(rows) < _ENOUGH_CALLS:
        return ["unclear"] * len(calls.samples)
    dosage, forms = calls.codes.dosage(rows), calls.forms.dosage(rows)
    called = (dosage >= 0).sum(axis=0)
    haploid = ((dosage >= 0) & (forms == CallForm.HAPLOID)).sum(axis=0)
    heterozygous = ((dosage == 1) & (forms != CallForm.HAPLOID)).sum(axis=0)
    return [
        judge_sex(int(calls_), int(single), int(mixed))
        for calls_, single, mixed in zip(called, haploid, heterozygous, strict=True)
    ]


def judge_sex(called: int, haploid: int, heterozygous: int) -> str:
    """Judge by how many calls there are on X, how many of them have one copy, and how many are heterozygous."""
    if called < _ENOUGH_CALLS:
        return "unclear"
    if haploid > _MOSTLY * called:
        return "male"
    share = heterozygous / (called - haploid)
    if share <= _FEW_HETEROZYGOUS:
        return "male"
    return "female" if share >= _MANY_HETEROZYGOUS else "unclear"
