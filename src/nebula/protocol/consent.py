"""Consent: what an owner permits, and how it is decided.

A policy permits a study when **every rule** says yes. A rule looks at one column of the policy and at
the study's terms, and a no has a reason. Two ways to ask, one set of rules:

* :func:`permits` decides one policy and says why;
* :class:`nebula.protocol.consent_columns.PolicyColumns` decides millions, a column at a time.

Monotone: adding a restriction to a policy never turns a no into a yes (property-tested).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag, StrEnum
from typing import Annotated, Any, Literal

import msgspec

from nebula.protocol.duo import PLEDGE_DEMANDED_BY, Modifier, Permission, Purpose
from nebula.protocol.ids import Address, Hash32, Nonce
from nebula.protocol.money import Wei, wei_from_wire
from nebula.protocol.signing import keccak256
from nebula.protocol.study import Country, Mondo, PartKind, ResultClass, StudyTerms
from nebula.protocol.wire import Document, parser, to_canonical

COMMITMENT_BYTES = 26
"""How much of a commitment fits beside the version in the record's one ledger slot."""


class Mode(StrEnum):
    """Whether the policy answers by itself or the owner approves each study."""

    STANDING = "standing"
    ASK = "ask"


class ConsentPolicy(Document, frozen=True, kw_only=True):
    """What an owner permits. Empty tuples of ``buyers_allowed`` and ``jurisdictions`` mean *any*."""

    schema: Literal[1] = 1
    record: Address
    permission: Permission
    diseases: Annotated[tuple[Mondo, ...], msgspec.Meta(max_length=200)] = ()
    modifiers: Annotated[tuple[Modifier, ...], msgspec.Meta(max_length=10)] = ()
    commercial_use: bool = False
    ai_training: bool = False
    jurisdictions: Annotated[tuple[Country, ...], msgspec.Meta(max_length=250)] = ()
    parts: Annotated[tuple[PartKind, ...], msgspec.Meta(max_length=4)]
    buyers_allowed: Annotated[tuple[Address, ...], msgspec.Meta(max_length=1000)] = ()
    buyers_denied: Annotated[tuple[Address, ...], msgspec.Meta(max_length=1000)] = ()
    mode: Mode = Mode.STANDING
    price_floor_wei: Wei
    result_classes: Annotated[tuple[ResultClass, ...], msgspec.Meta(max_length=3)]
    trust_roots: Annotated[tuple[Hash32, ...], msgspec.Meta(max_length=8)]
    privacy_budget_micro_rho: Annotated[int, msgspec.Meta(ge=0, le=10_000_000_000)]
    discoverable: bool = True
    expires: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    salt: Nonce


parse_policy = parser(ConsentPolicy)


class Refusal(IntFlag):
    """Why a policy does not permit a study; a decision may have several."""

    EXPIRED = 1 << 0
    PURPOSE = 1 << 1
    DISEASE = 1 << 2
    CONDITIONS = 1 << 3
    COMMERCIAL = 1 << 4
    AI_TRAINING = 1 << 5
    JURISDICTION = 1 << 6
    PARTS = 1 << 7
    BUYER = 1 << 8
    PRICE = 1 << 9
    RESULT_CLASS = 1 << 10
    TRUST_ROOT = 1 << 11
    BUDGET = 1 << 12
    APPROVAL = 1 << 13
    DISCOVERY = 1 << 14


SENTENCES: dict[Refusal, str] = {
    Refusal.EXPIRED: "the consent has expired",
    Refusal.PURPOSE: "the study's purpose is not one that the consent allows",
    Refusal.DISEASE: "the study is not about a disease that the consent names",
    Refusal.CONDITIONS: "the study does not meet a condition that the consent makes",
    Refusal.COMMERCIAL: "the consent does not allow commercial use",
    Refusal.AI_TRAINING: "the consent does not allow the training of AI models",
    Refusal.JURISDICTION: "the buyer's country is not one that the consent allows",
    Refusal.PARTS: "the study needs a part of the record that is not offered",
    Refusal.BUYER: "the consent does not allow this buyer",
    Refusal.PRICE: "the study pays less than the consent asks",
    Refusal.RESULT_CLASS: "the consent does not allow results of this class",
    Refusal.TRUST_ROOT: "the consent does not trust this kind of enclave hardware",
    Refusal.BUDGET: "the study needs more privacy budget than the consent gives",
    Refusal.APPROVAL: "the owner wants to approve each study, and has not approved this one",
    Refusal.DISCOVERY: "the consent does not allow the record to be counted in searches",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes (no refusals) or no, with every reason."""

    refusals: Refusal

    @property
    def permitted(self) -> bool:
        """Whether the policy permits the study."""
        return not self.refusals

    @property
    def reasons(self) -> tuple[str, ...]:
        """A sentence for each refusal."""
        return tuple(SENTENCES[refusal] for refusal in self.refusals)


@dataclass(frozen=True, slots=True)
class Rule:
    """One column of a policy, and whether a value of it satisfies a study's terms."""

    refusal: Refusal
    column: Callable[[ConsentPolicy], Any]
    satisfied: Callable[[Any, StudyTerms, int], bool]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A numeric column; the study is permitted while the policy's value is at most / at least a limit."""

    refusal: Refusal
    column: Callable[[ConsentPolicy], int]
    limit: Callable[[StudyTerms, int], int]
    at_most: bool

    def satisfied(self, value: int, terms: StudyTerms, now: int) -> bool:
        """Whether one value is on the permitting side of the limit."""
        limit = self.limit(terms, now)
        return value <= limit if self.at_most else value >= limit


def _purpose(permission: Permission, terms: StudyTerms, _now: int) -> bool:
    purposes = set(terms.document.purpose.purposes)
    match permission:
        case Permission.NRES | Permission.GRU:
            return True
        case Permission.HMB | Permission.DS:
            # Every purpose must be covered: a study that adds ancestry to a health question is refused.
            return purposes <= {Purpose.HEALTH, Purpose.DISEASE}
        case Permission.POA:
            return purposes == {Purpose.ANCESTRY}


def _disease(named: tuple[Permission, tuple[str, ...]], terms: StudyTerms, _now: int) -> bool:
    permission, diseases = named
    return permission is not Permission.DS or not terms.disease_closure.isdisjoint(diseases)


def _conditions(modifiers: tuple[Modifier, ...], terms: StudyTerms, _now: int) -> bool:
    return all(_meets(modifier, terms) for modifier in modifiers)


def _meets(modifier: Modifier, terms: StudyTerms) -> bool:  # noqa: PLR0911 - one return per term
    purpose = terms.document.purpose
    match modifier:
        case Modifier.NPU:
            return terms.buyer.non_profit
        case Modifier.NCU:
            return not purpose.commercial
        case Modifier.NPUNCU:
            return terms.buyer.non_profit and not purpose.commercial
        case Modifier.NPOA:
            return Purpose.ANCESTRY not in purpose.purposes
        case Modifier.NMDS:
            return Purpose.METHODS not in purpose.purposes
        case Modifier.GSO:
            return PartKind.GENOTYPES in terms.document.parts
        case Modifier.IRB | Modifier.PUB | Modifier.COL | Modifier.RTN:
            return PLEDGE_DEMANDED_BY[modifier] in purpose.pledges


def _buyer(lists: tuple[tuple[str, ...], tuple[str, ...]], terms: StudyTerms, _now: int) -> bool:
    allowed, denied = lists
    return terms.buyer.address not in denied and (not allowed or terms.buyer.address in allowed)


def _price(terms: StudyTerms, _now: int) -> int:
    """What a study pays. A discovery pays nobody, so no price is asked of it; owners allow it by itself."""
    return _ANY_PRICE if terms.document.is_discovery else wei_from_wire(terms.document.price_per_record_wei)


_ANY_PRICE = 2**256

RULES: tuple[Rule, ...] = (
    Rule(Refusal.PURPOSE, lambda p: p.permission, _purpose),
    Rule(Refusal.DISEASE, lambda p: (p.permission, p.diseases), _disease),
    Rule(Refusal.CONDITIONS, lambda p: p.modifiers, _conditions),
    Rule(Refusal.COMMERCIAL, lambda p: p.commercial_use, lambda v, t, _: v or not t.document.purpose.commercial),
    Rule(Refusal.AI_TRAINING, lambda p: p.ai_training, lambda v, t, _: v or not t.document.purpose.ai_training),
    Rule(Refusal.JURISDICTION, lambda p: p.jurisdictions, lambda v, t, _: not v or t.buyer.country in v),
    Rule(Refusal.PARTS, lambda p: p.parts, lambda v, t, _: set(t.document.parts) <= set(v)),
    Rule(Refusal.BUYER, lambda p: (p.buyers_allowed, p.buyers_denied), _buyer),
    Rule(Refusal.RESULT_CLASS, lambda p: p.result_classes, lambda v, t, _: t.document.result_class in v),
    Rule(Refusal.TRUST_ROOT, lambda p: p.trust_roots, lambda v, t, _: t.document.trust_root in v),
    Rule(Refusal.DISCOVERY, lambda p: p.discoverable, lambda v, t, _: v or not t.document.is_discovery),
)

THRESHOLDS: tuple[Threshold, ...] = (
    Threshold(Refusal.EXPIRED, lambda p: p.expires, lambda _t, now: now + 1, at_most=False),
    Threshold(Refusal.PRICE, lambda p: wei_from_wire(p.price_floor_wei), _price, at_most=True),
    Threshold(
        Refusal.BUDGET,
        lambda p: p.privacy_budget_micro_rho,
        lambda t, _: t.document.privacy_micro_rho,
        at_most=False,
    ),
)


def permits(policy: ConsentPolicy, terms: StudyTerms, *, at: datetime, approved: bool = False) -> Decision:
    """Decide whether a policy permits a study, and say why.

    Args:
        policy: the owner's current policy, already matched with its commitment on the ledger.
        terms: the study with facts that the caller checked itself.
        at: now.
        approved: whether the owner approved this very study; only *ask* mode looks at it.

    What the record has already spent of its privacy budget is the keeper's book, not the policy's:
    here only the whole budget is compared.
    """
    now = int(at.timestamp())
    refusals = Refusal(0)
    rules: tuple[Rule | Threshold, ...] = (*RULES, *THRESHOLDS)
    for rule in rules:
        if not rule.satisfied(rule.column(policy), terms, now):
            refusals |= rule.refusal
    if policy.mode is Mode.ASK and not approved:
        refusals |= Refusal.APPROVAL
    return Decision(refusals)


def policy_commitment(policy: ConsentPolicy) -> bytes:
    """Return the salted 32-byte commitment to a policy; the salt is a field of the policy itself."""
    return keccak256(b"nebula/consent/1\x00" + to_canonical(policy))


def record_commitment(manifest_commitment: bytes, consent_commitment: bytes) -> bytes:
    """Return the 26 bytes that stand in a record's slot: one digest over manifest and policy.

    Who holds either half can check the other against the ledger; who holds neither learns nothing.
    """
    return keccak256(b"nebula/record/1\x00" + manifest_commitment + consent_commitment)[:COMMITMENT_BYTES]
