"""What an audit says: named checks in their order, each with a sentence."""

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

from nebula.ledger.client import BlockRef
from nebula.protocol.errors import IntegrityError, NebulaError, UnavailableError
from nebula.protocol.ids import Hash32
from nebula.protocol.wire import Document

Case = TypeVar("Case")
CheckFunction = Callable[[Case], str]
"""Returns the sentence of a check that holds; raises the error that says why it does not."""


class Check(Document, frozen=True, kw_only=True):
    """One check. ``sentence``: what was found, or why it fails."""

    name: str
    passed: bool
    sentence: str


class AuditReport(Document, frozen=True, kw_only=True):
    """All checks of one audit, as the ledger stood at one block."""

    schema: Literal[1] = 1
    subject: str
    simulated: bool
    block_number: int
    block_hash: Hash32
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed, in order."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return not self.failed

    def require_passed(self) -> "AuditReport":
        """Return this report if every check passed.

        Raises:
            IntegrityError: the first one that did not.
        """
        if self.failed:
            first = self.failed[0]
            raise IntegrityError(f"audit.{first.name}", first.sentence, hint="keep the files, and report what you saw")
        return self


def make_report(
    case: Case,
    checks: Iterable[tuple[str, CheckFunction[Case]]],
    *,
    subject: str,
    simulated: bool,
    head: BlockRef,
) -> AuditReport:
    """Run every check, whatever the others say.

    Raises:
        UnavailableError: a check could not be made at all.
    """
    found = tuple(_outcome(name, check, case) for name, check in checks)
    return AuditReport(
        subject=subject, simulated=simulated, block_number=head.number, block_hash=head.hash, checks=found
    )


def _outcome(name: str, check: CheckFunction[Case], case: Case) -> Check:
    try:
        return Check(name=name, passed=True, sentence=check(case))
    except UnavailableError:
        raise
    except NebulaError as error:
        return Check(name=name, passed=False, sentence=error.message)


def require(holds: object, sentence: str) -> None:
    """Fail the check that is being made, unless something holds.

    Raises:
        IntegrityError: it does not.
    """
    if not holds:
        raise IntegrityError("audit.failed", sentence)
