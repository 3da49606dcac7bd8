"""The floors below which nothing leaves. They are constants; parameters can only raise them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nebula.protocol.study import ResultClass
from nebula.protocol.trust_roots import is_simulated

if TYPE_CHECKING:
    from nebula.protocol.study import StudyDocument

# People in any cohort whose result leaves.
MINIMUM_COHORT = 100
# People in a cohort whose complete summary statistics leave.
MINIMUM_FULL_COHORT = 1_000
# People, or copies of an allele, in any published cell that is not zero.
MINIMUM_CELL = 10
# People by which two cohorts of one buyer must differ, when they differ at all.
MINIMUM_DIFFERENCE = 10
# People per parameter fitted, so that no regression describes single people.
MINIMUM_PEOPLE_PER_PARAMETER = 5
# Associations with a larger p are no hits.
HIT_P = 5e-8


@dataclass(frozen=True, slots=True)
class Floors:
    """The cohort floor in force, and whether it is that of a simulation.

    A simulated network may work with small cohorts; every result made so says it. Cells, differences and
    complete statistics have the same floors everywhere.
    """

    minimum_cohort: int
    simulated: bool

    def __post_init__(self) -> None:
        lowest = MINIMUM_CELL if self.simulated else MINIMUM_COHORT
        if self.minimum_cohort < lowest:
            where = "a simulation" if self.simulated else "production"
            raise ValueError(f"the smallest cohort in {where} has {lowest} people, not {self.minimum_cohort}")


PRODUCTION = Floors(minimum_cohort=MINIMUM_COHORT, simulated=False)


def simulation(minimum_cohort: int = MINIMUM_COHORT) -> Floors:
    """Floors for a network whose trust root is a simulated one: at least ten people."""
    return Floors(minimum_cohort=minimum_cohort, simulated=True)


def floors_of(study: StudyDocument) -> Floors:
    """Return the floors that hold for a study.

    SECURITY: the worker cannot tell simulated hardware from real, but keepers release only to a quote under the
    root that the study names: where that is Intel's, these are production's floors.
    """
    return simulation(MINIMUM_CELL) if is_simulated(study.trust_root) else PRODUCTION


def smallest_cohort(study: StudyDocument) -> int:
    """Return how many people a result of this study is about at least, whatever the study says."""
    floor = floors_of(study).minimum_cohort
    return max(floor, MINIMUM_FULL_COHORT) if study.result_class is ResultClass.FULL else floor
