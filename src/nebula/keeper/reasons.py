"""Why a record is not released: codes for programs, sentences for owners.

A policy's own refusals have the lower-case names of :class:`~nebula.protocol.consent.Refusal`. Only the record's owner
learns which of them it was: the session's answer passes through its untrusted host, so to everyone else all
of them are :data:`CONSENT`.
"""

from nebula.protocol.consent import SENTENCES as OF_POLICIES
from nebula.protocol.consent import Decision, Refusal

NOT_HELD = "not-held"
WITHDRAWN = "withdrawn"
NOT_CURRENT = "not-current"
NOT_RELEASED = "not-released"
DAMAGED = "damaged"
CONSENT = "consent"
BUDGET_SPENT = "budget-spent"
NO_PART = "no-part"

PUBLIC = frozenset((NOT_HELD, WITHDRAWN, NOT_CURRENT, NOT_RELEASED, DAMAGED))
"""What anyone could find out, or what says nothing about the policy."""

SENTENCES = {
    NOT_HELD: "this keeper holds no share of the record",
    WITHDRAWN: "the record was withdrawn",
    NOT_CURRENT: "the policy that the ledger names has not reached this keeper",
    NOT_RELEASED: "this keeper had not released the record to this run",
    DAMAGED: "this keeper's copy of the record's shares is damaged",
    NO_PART: "the record has no part of a kind that the study needs, or no genotypes on its panel",
    BUDGET_SPENT: "too little is left of the privacy budget for what this study would take of this keeper's part",
    **{str(refusal.name).lower(): sentence for refusal, sentence in OF_POLICIES.items()},
}


def codes_of(decision: Decision) -> tuple[str, ...]:
    """Return the codes of a policy's refusals."""
    return tuple(str(refusal.name).lower() for refusal in Refusal if refusal & decision.refusals)


def in_public(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Return what others than the owner may see of the reasons."""
    return tuple(dict.fromkeys(reason if reason in PUBLIC else CONSENT for reason in reasons))


def sentence(reason: str) -> str:
    """Return a reason in words."""
    return SENTENCES[reason]
