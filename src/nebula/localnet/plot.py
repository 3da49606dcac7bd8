"""What a story is about, and what can be wrong with that before anything is read or started."""

from dataclasses import dataclass
from pathlib import Path

from nebula.analysis.parameters import Parameters, parse_parameters
from nebula.disclosure.floors import MINIMUM_FULL_COHORT
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import ResultClass

MINIMUM_PEOPLE = 50
MAXIMUM_PEOPLE = 100_000
MADE_UP_TRAIT = "trait"
GWAS = "gwas-linear"
NOT_USED = 2
"""People of a cohort whose data a study does not use: one consent says no, one owner withdraws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Which people, and which study."""

    folder: Path
    people: int = 300
    cohort: Path | None = None
    phenotypes: Path | None = None
    trait: str = MADE_UP_TRAIT
    analysis: str = GWAS
    pcs: int = 4
    result_class: ResultClass | None = None
    seed: int = 1

    @property
    def needs_trait(self) -> bool:
        """Whether the analysis is about a phenotype."""
        return self.analysis == GWAS

    @property
    def asked_class(self) -> ResultClass:
        """The result class asked for, or the one that suits the analysis."""
        return self.result_class or (ResultClass.HITS if self.needs_trait else ResultClass.NOISED)

    @property
    def parameters(self) -> dict[str, str | int | float | bool | list[str] | None]:
        """The analysis's parameters, as a study document has them."""
        return {"trait": self.trait, "pcs": self.pcs, "seed": self.seed} if self.needs_trait else {}

    @property
    def kept(self) -> tuple[str, ...]:
        """The phenotypes that records are made with: what a study of these people needs, and nothing else."""
        return (self.trait,) if self.needs_trait or self.cohort is None else ()

    @property
    def cast(self) -> str:
        """Whom the story is about, in words that tell two casts apart."""
        if self.cohort is None:
            return f"{self.people} made-up people, seed {self.seed}"
        phenotypes = f", with {self.trait!r} of {self.phenotypes.absolute()}" if self.phenotypes and self.kept else ""
        return f"the people of {self.cohort.absolute()}{phenotypes}"

    def check(self) -> Parameters:
        """Return the analysis's parameters after making sure that the story can be told, as far as numbers say.

        Raises:
            RejectedInputError: it cannot; what is wrong, and what to do.
        """
        if self.cohort is None:
            self._check_made_up()
            self.check_people(self.people)
        elif self.needs_trait and self.phenotypes is None:
            raise RejectedInputError(
                "demo.phenotypes", "an association study needs a trait", hint="add --phenotypes TSV --trait COLUMN"
            )
        return parse_parameters(f"{self.analysis}@1", self.parameters)

    def check_people(self, people: int) -> None:
        """Make sure that so many people are enough.

        Raises:
            RejectedInputError: they are not.
        """
        if people < MINIMUM_PEOPLE:
            raise RejectedInputError(
                "demo.people", f"{people} people are too few for a study", hint=f"take {MINIMUM_PEOPLE} or more"
            )
        if self.asked_class is ResultClass.FULL and people - NOT_USED < MINIMUM_FULL_COHORT:
            raise RejectedInputError(
                "demo.full",
                f"complete summary statistics leave from {MINIMUM_FULL_COHORT:,} records on, and of {people:,} "
                f"people {NOT_USED} will not take part",
                hint=f"take {MINIMUM_FULL_COHORT + NOT_USED:,} people or more, or --result-class hits",
            )

    def _check_made_up(self) -> None:
        if self.phenotypes is not None:
            raise RejectedInputError(
                "demo.cohort", "phenotypes without a cohort are nobody's", hint="add --cohort VCF.GZ"
            )
        if self.trait != MADE_UP_TRAIT:
            raise RejectedInputError(
                "demo.trait",
                f"made-up people have one phenotype, {MADE_UP_TRAIT!r}, and no {self.trait!r}",
                hint="leave --trait out, or bring --cohort and --phenotypes",
            )
        check_seed(self.seed)
        if self.people > MAXIMUM_PEOPLE:
            raise RejectedInputError(
                "demo.people", f"{self.people:,} people are too many to make up", hint=f"at most {MAXIMUM_PEOPLE:,}"
            )


def check_seed(seed: int) -> None:
    """Make sure that a seed can be one.

    Raises:
        RejectedInputError: it is negative.
    """
    if seed < 0:
        raise RejectedInputError("demo.seed", f"{seed} is no seed", hint="take 0 or more")
