"""What is told of a PLINK file set before anything of it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.genome.plink.verdicts import Verdict

if TYPE_CHECKING:
    from nebula.genome.calls import Calls
    from nebula.genome.plink.people import People
    from nebula.genome.plink.verdicts import Alleles


def notes_of(people: People, found: Alleles, calls: Calls, *, contradicted: int, empty: int) -> tuple[str, ...]:
    """Say which allele was taken for REF, what was left out, and why."""
    second, first = found.count(Verdict.SECOND), found.count(Verdict.FIRST)
    indels = int((calls.reference.lengths() != calls.alternate.lengths()).sum())
    counted = [
        (found.by_reference, "of these by the reference genome, for the panel has no site there"),
        (found.count(Verdict.NEITHER), "sites have two alleles of which neither is REF, and were left out"),
        (found.count(Verdict.BOTH), "sites have two alleles of which either may be REF, and were left out"),
        (
            found.count(Verdict.STRAND),
            "A/T and C/G sites were left out: other sites are on the minus strand, and of these nothing tells",
        ),
        (
            found.count(Verdict.UNKNOWN),
            "sites beyond the panel were left out, for want of a reference genome that tells REF",
        ),
        (found.count(Verdict.NOT_NAMED), "sites name one allele or none, and were left out"),
        (
            found.count(Verdict.SEVERAL),
            "sites have several ALT alleles, and were left out: a VCF keeps them (`plink2 --export vcf bgz`)",
        ),
        (found.count(Verdict.NO_SEQUENCE), "sites have alleles that are no sequences, and were left out"),
        (found.count(Verdict.NO_PLACE), "sites off chromosomes 1 to 22, X, Y, MT were left out"),
        (empty, "variants that nobody carries stood twice and count once"),
        (indels, "insertions and deletions were trimmed, not left-aligned"),
        (contradicted, "people have an X that contradicts their sex: are samples mixed up?"),
        (len(people) * people.with_family, "people are called FAMILY_ID, for ids repeat between families"),
        (people.phenotypes, "people have a phenotype beside their sex, which was not read: give --phenotypes"),
    ]
    told = f"REF is A2 at {second} sites and A1 at {first}"
    return (told, *(f"{count} {sentence}" for count, sentence in counted if count))
