"""Consent: what each term permits, that restrictions only restrict, and what commitments hide."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.consent import (
    RULES,
    SENTENCES,
    THRESHOLDS,
    ConsentPolicy,
    Mode,
    Refusal,
    parse_policy,
    permits,
    policy_commitment,
    record_commitment,
)
from nebula.protocol.duo import Modifier, Permission, Pledge, Purpose
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import PartKind, PurposeTerms, ResultClass, StudyTerms
from nebula.protocol.wire import to_canonical
from simulators.consents import (
    BUYERS,
    COUNTRIES,
    DISEASES,
    NOW,
    ROOTS,
    SECONDS,
    a_policy,
    change,
    policies,
    some_terms,
    terms,
)


def refusals(policy: ConsentPolicy, study: StudyTerms, **how: Any) -> Refusal:
    return permits(policy, study, at=NOW, **how).refusals


def test_the_plain_policy_permits_the_plain_study() -> None:
    assert permits(a_policy(), some_terms(), at=NOW).permitted


PURPOSES = [
    (Permission.NRES, tuple(Purpose), True),
    (Permission.GRU, (Purpose.GENERAL, Purpose.ANCESTRY), True),
    (Permission.HMB, (Purpose.HEALTH, Purpose.DISEASE), True),
    (Permission.HMB, (Purpose.HEALTH, Purpose.ANCESTRY), False),
    (Permission.HMB, (Purpose.GENERAL,), False),
    (Permission.POA, (Purpose.ANCESTRY,), True),
    (Permission.POA, (Purpose.ANCESTRY, Purpose.HEALTH), False),
    (Permission.DS, (Purpose.METHODS,), False),
]


@pytest.mark.parametrize(("permission", "purposes", "permitted"), PURPOSES)
def test_every_purpose_of_a_study_must_be_one_that_the_permission_covers(
    permission: Permission, purposes: tuple[Purpose, ...], permitted: bool
) -> None:
    found = refusals(a_policy(permission=permission), some_terms(purpose=PurposeTerms(purposes=purposes)))
    assert (Refusal.PURPOSE not in found) == permitted


def test_a_disease_policy_covers_the_kinds_of_its_diseases_only() -> None:
    policy = a_policy(permission=Permission.DS, diseases=(DISEASES[0],))
    assert not refusals(policy, some_terms(closure=frozenset(DISEASES[:2])))
    assert refusals(policy, some_terms(closure=frozenset(DISEASES[1:]))) == Refusal.DISEASE
    assert refusals(policy, some_terms()) == Refusal.DISEASE


CONDITIONS: list[tuple[Modifier, dict[str, Any], dict[str, Any]]] = [
    (Modifier.NPU, {}, {"buyer": {"non_profit": True}}),
    (Modifier.NPUNCU, {}, {"buyer": {"non_profit": True}}),
    (Modifier.GSO, {"parts": (PartKind.SURVEY,)}, {}),
    *(
        (modifier, {}, {"purpose": PurposeTerms(purposes=(Purpose.HEALTH,), pledges=(pledge,))})
        for modifier, pledge in (
            (Modifier.IRB, Pledge.ETHICS_APPROVAL),
            (Modifier.PUB, Pledge.PUBLICATION),
            (Modifier.COL, Pledge.COLLABORATION),
            (Modifier.RTN, Pledge.RETURN),
        )
    ),
    (Modifier.NPOA, {"purpose": PurposeTerms(purposes=(Purpose.ANCESTRY,))}, {}),
    (Modifier.NMDS, {"purpose": PurposeTerms(purposes=(Purpose.METHODS,))}, {}),
    (Modifier.NCU, {"purpose": PurposeTerms(purposes=(Purpose.HEALTH,), commercial=True)}, {}),
]


@pytest.mark.parametrize(("modifier", "fails", "meets"), CONDITIONS)
def test_a_condition_refuses_what_does_not_meet_it(
    modifier: Modifier, fails: dict[str, Any], meets: dict[str, Any]
) -> None:
    policy = a_policy(modifiers=(modifier,), commercial_use=True)
    assert refusals(policy, some_terms(**fails)) == Refusal.CONDITIONS
    assert not refusals(policy, some_terms(**meets))


def test_non_profit_and_non_commercial_together_are_stricter_than_either() -> None:
    commercial = PurposeTerms(purposes=(Purpose.HEALTH,), commercial=True)
    charity = some_terms(buyer={"non_profit": True}, purpose=commercial)
    assert not refusals(a_policy(modifiers=(Modifier.NPU,), commercial_use=True), charity)
    assert refusals(a_policy(modifiers=(Modifier.NPUNCU,), commercial_use=True), charity) == Refusal.CONDITIONS


def test_every_modifier_is_tried_here() -> None:
    assert {modifier for modifier, _, _ in CONDITIONS} == set(Modifier)


A_DISCOVERY = {"analysis": "discovery@1", "result_class": ResultClass.NOISED, "privacy_micro_rho": 100}

OTHERS: list[tuple[Refusal, dict[str, Any], dict[str, Any]]] = [
    (Refusal.EXPIRED, {"expires": SECONDS}, {}),
    (Refusal.COMMERCIAL, {}, {"purpose": PurposeTerms(purposes=(Purpose.HEALTH,), commercial=True)}),
    (Refusal.AI_TRAINING, {}, {"purpose": PurposeTerms(purposes=(Purpose.HEALTH,), ai_training=True)}),
    (Refusal.JURISDICTION, {"jurisdictions": ("DE", "US")}, {}),
    (Refusal.PARTS, {"parts": (PartKind.SURVEY,)}, {}),
    (Refusal.BUYER, {"buyers_denied": (BUYERS[0],)}, {}),
    (Refusal.BUYER, {"buyers_allowed": (BUYERS[1],)}, {}),
    (Refusal.BUYER, {"buyers_allowed": BUYERS, "buyers_denied": BUYERS}, {}),
    (Refusal.PRICE, {"price_floor_wei": "6"}, {}),
    (Refusal.RESULT_CLASS, {"result_classes": (ResultClass.NOISED,)}, {}),
    (Refusal.TRUST_ROOT, {"trust_roots": (ROOTS[1],)}, {}),
    (Refusal.BUDGET, {"privacy_budget_micro_rho": 99}, {}),
    (Refusal.APPROVAL, {"mode": Mode.ASK}, {}),
    (Refusal.DISCOVERY, {"discoverable": False}, A_DISCOVERY),
]


def test_a_discovery_pays_nobody_and_no_price_is_asked_of_it() -> None:
    dear = a_policy(price_floor_wei="6")
    assert refusals(dear, some_terms()) == Refusal.PRICE
    assert not refusals(dear, some_terms(**A_DISCOVERY))


def test_who_is_not_counted_in_searches_takes_part_in_studies() -> None:
    assert not refusals(a_policy(discoverable=False), some_terms())


@pytest.mark.parametrize(("reason", "policy", "study"), OTHERS)
def test_each_reason_is_given_alone_when_it_is_the_only_one(
    reason: Refusal, policy: dict[str, Any], study: dict[str, Any]
) -> None:
    assert refusals(a_policy(**policy), some_terms(**study)) == reason


def test_an_approval_satisfies_ask_mode_and_nothing_else() -> None:
    assert not refusals(a_policy(mode=Mode.ASK), some_terms(), approved=True)
    assert refusals(a_policy(mode=Mode.ASK, price_floor_wei="6"), some_terms(), approved=True) == Refusal.PRICE


def test_consent_ends_at_its_expiry() -> None:
    policy = a_policy(expires=SECONDS + 60)
    assert permits(policy, some_terms(), at=NOW + timedelta(seconds=59)).permitted
    assert not permits(policy, some_terms(), at=NOW + timedelta(seconds=60)).permitted


def test_all_reasons_are_given_each_in_its_own_words() -> None:
    decision = permits(a_policy(price_floor_wei="6", mode=Mode.ASK), some_terms(), at=NOW)
    assert decision.reasons == (SENTENCES[Refusal.PRICE], SENTENCES[Refusal.APPROVAL])
    assert set(SENTENCES) == set(Refusal)
    assert len(set(SENTENCES.values())) == len(Refusal)


def test_every_reason_but_approval_has_exactly_one_rule() -> None:
    found = [rule.refusal for rule in (*RULES, *THRESHOLDS)]
    assert sorted([*found, Refusal.APPROVAL]) == list(Refusal)


# --- monotone --------------------------------------------------------------------------------------------------------

_STRICTER = [Permission.NRES, Permission.GRU, Permission.HMB, Permission.DS]
Restriction = Callable[[ConsentPolicy, int], ConsentPolicy]


def narrow(items: tuple[Any, ...], every: tuple[Any, ...], pick: int) -> tuple[Any, ...]:
    """Narrow a list in which empty means any: to one of all, or by one, but never to empty."""
    if not items:
        return (every[pick % len(every)],)
    return items if len(items) == 1 else drop(items, pick)


def drop(items: tuple[Any, ...], pick: int) -> tuple[Any, ...]:
    return tuple(item for place, item in enumerate(items) if place != pick % len(items)) if items else items


def stricter_permission(policy: ConsentPolicy, _pick: int) -> ConsentPolicy:
    if policy.permission in _STRICTER[:-1]:
        return change(policy, permission=_STRICTER[_STRICTER.index(policy.permission) + 1])
    return policy


def fewer_diseases(policy: ConsentPolicy, pick: int) -> ConsentPolicy:
    return change(policy, diseases=drop(policy.diseases, pick))


RESTRICTIONS: list[Restriction] = [
    stricter_permission,
    fewer_diseases,
    lambda p, n: change(p, modifiers=(*p.modifiers, list(Modifier)[n % len(Modifier)])),
    lambda p, _: change(p, commercial_use=False),
    lambda p, _: change(p, ai_training=False),
    lambda p, n: change(p, jurisdictions=narrow(p.jurisdictions, COUNTRIES, n)),
    lambda p, n: change(p, parts=drop(p.parts, n)),
    lambda p, n: change(p, buyers_allowed=narrow(p.buyers_allowed, BUYERS, n)),
    lambda p, n: change(p, buyers_denied=(*p.buyers_denied, BUYERS[n % len(BUYERS)])),
    lambda p, _: change(p, mode=Mode.ASK),
    lambda p, n: change(p, price_floor_wei=str(int(p.price_floor_wei) + n)),
    lambda p, n: change(p, result_classes=drop(p.result_classes, n)),
    lambda p, n: change(p, trust_roots=drop(p.trust_roots, n)),
    lambda p, n: change(p, privacy_budget_micro_rho=max(0, p.privacy_budget_micro_rho - n)),
    lambda p, n: change(p, expires=p.expires - n),
    lambda p, _: change(p, discoverable=False),
]


@given(
    policy=policies,
    study=terms,
    steps=st.lists(st.tuples(st.sampled_from(RESTRICTIONS), st.integers(0, 9)), min_size=1, max_size=4),
    approved=st.booleans(),
)
def test_adding_restrictions_never_turns_a_no_into_a_yes(
    policy: ConsentPolicy, study: StudyTerms, steps: list[tuple[Restriction, int]], approved: bool
) -> None:
    before = refusals(policy, study, approved=approved)
    for restrict, pick in steps:
        policy = restrict(policy, pick)
    assert before & refusals(policy, study, approved=approved) == before


@given(policy=policies, study=terms)
def test_an_approval_never_adds_a_reason(policy: ConsentPolicy, study: StudyTerms) -> None:
    assert refusals(policy, study, approved=True) == refusals(policy, study) & ~Refusal.APPROVAL


# --- bytes -----------------------------------------------------------------------------------------------------------


@given(policy=policies)
def test_a_policy_survives_its_bytes_and_equal_bytes_are_equal_policies(policy: ConsentPolicy) -> None:
    raw = to_canonical(policy)
    assert parse_policy(raw) == policy
    assert to_canonical(parse_policy(raw)) == raw


@given(policy=policies, salt=st.binary(min_size=32, max_size=32))
def test_another_salt_is_another_commitment(policy: ConsentPolicy, salt: bytes) -> None:
    other = change(policy, salt=salt)
    assert (policy_commitment(policy) == policy_commitment(other)) == (policy == other)


def test_a_records_commitment_binds_manifest_and_policy() -> None:
    halves = [bytes([number]) * 32 for number in range(3)]
    found = {record_commitment(a, b) for a in halves for b in halves}
    assert len(found) == 9
    assert {len(commitment) for commitment in found} == {26}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", 2),
        ("permission", "DUO:9999999"),
        ("diseases", ["MONDO:1"]),
        ("price_floor_wei", "-1"),
        ("price_floor_wei", "01"),
        ("privacy_budget_micro_rho", -1),
        ("privacy_budget_micro_rho", 1.5),
        ("jurisdictions", ["ch"]),
        ("expires", 0),
        ("salt", "AAAA"),
        ("surprise", 1),
        ("mode", "never"),
    ],
)
def test_a_policy_that_is_not_exactly_one_is_refused(field: str, value: object) -> None:
    import msgspec

    raw = msgspec.json.decode(to_canonical(a_policy()))
    raw[field] = value
    with pytest.raises(RejectedInputError) as refused:
        parse_policy(msgspec.json.encode(raw))
    assert refused.value.code == "wire.malformed"
