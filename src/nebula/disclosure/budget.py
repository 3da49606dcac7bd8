"""The privacy budget: zCDP rho, in integer millionths, adding up over all the studies of a record.

Under zero-concentrated differential privacy the rho of several releases add up (Bun and Steinke, 2016).
Integers, so that no order of additions and no rounding can make a budget larger.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from nebula.protocol.errors import NotPermittedError
from nebula.protocol.wire import Document

MICRO = 1_000_000
MicroRho = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class PrivacyBudget(Document, frozen=True, kw_only=True):
    """What a record may spend in all, and what it has spent; ``spent_micro_rho <= limit_micro_rho``."""

    limit_micro_rho: MicroRho
    spent_micro_rho: MicroRho = 0

    def __post_init__(self) -> None:
        if not 0 <= self.spent_micro_rho <= self.limit_micro_rho:
            raise ValueError("a budget's spending lies between nothing and its limit")

    @property
    def left_micro_rho(self) -> int:
        """What may still be spent."""
        return self.limit_micro_rho - self.spent_micro_rho

    def spend(self, micro_rho: int) -> PrivacyBudget:
        """Return the budget after a release.

        Raises:
            NotPermittedError: it is not enough; nothing is spent.
        """
        if micro_rho < 0:
            raise ValueError("a release spends nothing or more")
        if micro_rho > self.left_micro_rho:
            raise NotPermittedError(
                "disclosure.budget-spent",
                f"the study spends {micro_rho / MICRO:g} of privacy budget; {self.left_micro_rho / MICRO:g} is left",
            )
        return PrivacyBudget(limit_micro_rho=self.limit_micro_rho, spent_micro_rho=self.spent_micro_rho + micro_rho)
