"""What can go wrong, sorted by who must act.

Four families, and every error belongs to one: the *caller* gave something that cannot be accepted, a
*rule* says no, something is *away* for now, or *someone lied*. Each error has a stable ``code`` for
programs, a sentence for people and, where one helps, a hint that says what to do next.
"""

from collections.abc import Mapping
from typing import ClassVar, Final


class NebulaError(Exception):
    """An error with a stable code, a sentence and, perhaps, a hint.

    Attributes:
        code: stable, dotted, lower case: ``vcf.no-genotypes``. Programs match on this.
        hint: what the person can do next, or None.
    """

    family: ClassVar[str] = "bug"
    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self.args[0])


class RejectedInputError(NebulaError):
    """The caller must change the input: it is malformed, too large, or names what does not exist."""

    family = "rejected"
    exit_status = 2
    http_status = 400


class NotPermittedError(NebulaError):
    """A rule says no: consent, identity, standing, attestation or budget."""

    family = "not-permitted"
    exit_status = 3
    http_status = 403


class UnavailableError(NebulaError):
    """Something is away for now; the same request may be tried again later."""

    family = "unavailable"
    exit_status = 4
    http_status = 503


class IntegrityError(NebulaError):
    """Someone lied or something was altered. Alert; never retry, never repair."""

    family = "integrity"
    exit_status = 5
    http_status = 409


FAMILIES: Final[Mapping[str, type[NebulaError]]] = {
    family.family: family for family in (RejectedInputError, NotPermittedError, UnavailableError, IntegrityError)
}
"""Every family by its name on the wire."""
