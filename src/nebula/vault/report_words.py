"""An owner's report in words, the same in a terminal and on a page."""

from collections.abc import Sequence

from nebula.genome.meanings import Finding
from nebula.genome.star_alleles import StarFinding
from nebula.vault.report import Ancestry, OwnReport, Quality, Score
from nebula.vault.report_files import NO_LABEL

_CAUTIONS = (
    (
        "This is not medical advice, and no test for a disease. Before you act on anything here, have it confirmed by "
        "a clinical laboratory, and speak with a doctor or a genetic counsellor."
    ),
    (
        "A consumer array reads some hundred thousand chosen places. It cannot see what lies between them, nor most "
        "insertions, deletions and copies of genes; and of the very rare variants that it does report, most are false "
        "(Weedon et al., BMJ 372, 2021). That it finds nothing does not mean that there is nothing."
    ),
    "What is not in your file is unknown here, never taken for the usual allele.",
    (
        "A score ranks you among the people of the reference, for what was known when it was made, mostly in people of "
        "European descent: elsewhere it is less sure. It leaves out how you live, your family, your age."
    ),
)

_OF_STAR_ALLELES = (
    "Star alleles are told by single bases alone, as one pair for each gene. Copies of a whole gene, missing or hybrid "
    "genes are not seen: for CYP2D6 ask a laboratory."
)
_SHOWN, _NAMED = 4, 12
STAR_HEADINGS = ("gene", "you", "looked for")


def cautions(report: OwnReport) -> tuple[str, ...]:
    """What to keep in mind with a report."""
    return (*_CAUTIONS, _OF_STAR_ALLELES) if report.star_alleles else _CAUTIONS


def quality_words(quality: Quality) -> dict[str, str]:
    """What the record has."""
    return {
        "assembly": quality.assembly,
        "in the record": f"{quality.rows:,} variants with a row of their own",
        "call rate": f"{quality.called:,} of {quality.panel_sites:,} sites of panel {quality.panel} "
        f"({quality.call_rate:.1%}); the others are unknown",
        "heterozygous": "unknown: no autosomal call"
        if quality.heterozygosity is None
        else f"{quality.heterozygosity:.1%} of the autosomal calls on the panel",
        "sex, by the X": {"unclear": "unclear: too few calls on X, or neither one copy nor two is plain"}.get(
            quality.sex, quality.sex
        ),
    }


def ancestry_words(ancestry: Ancestry) -> str:
    """Whom the person lies nearest to."""
    labels = ", ".join(f"{group} {count}" for group, count in ancestry.groups.items())
    told = "none has a label, --groups gives them" if set(ancestry.groups) == {NO_LABEL} else labels
    return (
        f"Of the {ancestry.nearest} people of {ancestry.cohort} who lie nearest to you: {told}. "
        f"Computed on {ancestry.variants:,} variants that you and they have."
    )


def score_words(score: Score) -> str:
    """Where the person stands on a score."""
    covered = f"{score.variants:,} of its {score.asked:,} variants are in your record and in the reference"
    if score.ambiguous:
        was, their = ("was", "its") if score.ambiguous == 1 else ("were", "their")
        covered += (
            f", and {score.ambiguous:,} {was} left out, for nothing tells {their} strand (A/T, C/G) or which is meant"
        )
    if score.share_below is None:
        return f"{covered}: too few, a sum over these is another score. Nothing is told."
    sentence = f"You have a higher score than {score.share_below:.0%} of the reference's people"
    if score.share_below_in_group is not None:
        sentence += f", and than {score.share_below_in_group:.0%} of its group {score.group}, to which you lie nearest"
    partly = "" if score.whole else " So this is a part of the score, and less sure than what was published of it."
    return f"{sentence}. {covered}; all were scored on these alone.{partly}"


def finding_words(finding: Finding) -> str:
    """How many copies of an allele the person has; what did not pass its FILTER is in the record, and not known."""
    if finding.copies is None:
        return "not known: your record does not say"
    if not finding.copies:
        return "none"
    if finding.ploidy == 1:
        return "your only copy"
    return {1: "one copy of two", 2: "both copies"}[finding.copies]


def star_words(finding: StarFinding) -> str:
    """Which diplotypes fit, as far as the record tells."""
    if not finding.looked_for:
        return "not known: your record does not say"
    if not finding.diplotypes:
        return "none of the alleles that were looked for fit: you may have one that was not, or that nobody has named"
    shown = " or ".join(finding.diplotypes[:_SHOWN])
    if len(finding.diplotypes) > _SHOWN:
        shown += f" or {len(finding.diplotypes) - _SHOWN:,} more"
    left = len(finding.not_looked_for)
    others = "the one" if left == 1 else f"one of the {left:,}"
    return f"{shown}, unless you have {others} that could not be looked for" if left else shown


def looked_for_words(finding: StarFinding) -> str:
    """Which of a gene's star alleles were looked for."""
    every = len(finding.looked_for) + len(finding.not_looked_for)
    names = ", ".join(finding.looked_for[:_NAMED]) + (" …" if len(finding.looked_for) > _NAMED else "")
    return f"{len(finding.looked_for):,} of {every:,}{f': {names}' if names else ''}"


def star_rows(findings: Sequence[StarFinding]) -> list[tuple[str, str, str]]:
    """A table of them, under :data:`STAR_HEADINGS`."""
    return [(one.gene, star_words(one), looked_for_words(one)) for one in findings]
