"""What is told of a PLINK file set before anything of it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.genome.count_notes import count_notes
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
        (
            found.count(Verdict.NEITHER),
            "site[|s] [has|have] two alleles of which neither is REF, and [was|were] left out",
        ),
        (
            found.count(Verdict.BOTH),
            "site[|s] [has|have] two alleles of which either may be REF, and [was|were] left out",
        ),
        (
            found.count(Verdict.STRAND),
            "A/T and C/G site[|s] [was|were] left out: other sites are on the minus strand, and of these nothing tells",
        ),
        (
            found.count(Verdict.UNKNOWN),
            "site[|s] beyond the panel [was|were] left out, for want of a reference genome that tells REF",
        ),
        (found.count(Verdict.NOT_NAMED), "site[|s] [names|name] one allele or none, and [was|were] left out"),
        (
            found.count(Verdict.SEVERAL),
            "site[|s] [has|have] several ALT alleles, and [was|were] left out: keep them by `plink2 --export vcf bgz`",
        ),
        (
            found.count(Verdict.NO_SEQUENCE),
            "site[|s] [has|have] alleles that are no sequences, and [was|were] left out",
        ),
        (found.count(Verdict.NO_PLACE), "site[|s] off chromosomes 1 to 22, X, Y, MT [was|were] left out"),
        (empty, "variant[|s] that nobody carries stood twice and [counts|count] once"),
        (indels, "[insertion or deletion was|insertions and deletions were] trimmed, not left-aligned"),
        (contradicted, "[person has|people have] an X that contradicts their sex: are samples mixed up?"),
        (len(people) * people.with_family, "[person is|people are] called FAMILY_ID, for ids repeat between families"),
        (
            people.phenotypes,
            "[person has|people have] a phenotype beside their sex, which was not read: give --phenotypes",
        ),
    ]
    told = f"REF is A2 at {second:,} sites and A1 at {first:,}"
    return (told, *count_notes(counted))
