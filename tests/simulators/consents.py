"""Policies and studies for hypothesis: every column, small enough ranges that they meet often."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import strategies as st

from nebula.protocol.consent import ConsentPolicy, Mode
from nebula.protocol.duo import Modifier, Permission, Pledge, Purpose
from nebula.protocol.study import BuyerFacts, PartKind, PurposeTerms, ResultClass, StudyDocument, StudyTerms

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
BUYERS = tuple(f"0x{number:040x}" for number in range(1, 4))
ROOTS = tuple(f"0x{number:064x}" for number in range(1, 4))
DISEASES = tuple(f"MONDO:{number:07d}" for number in range(1, 5))
COUNTRIES = ("CH", "DE", "US")


def some(values: Any, *, least: int = 0, most: int | None = None) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return a strategy for tuples of distinct values."""
    return st.lists(st.sampled_from(list(values)), unique=True, min_size=least, max_size=most).map(tuple)


def a_policy(**changes: Any) -> ConsentPolicy:
    """Return a policy that permits :func:`some_terms`."""
    return ConsentPolicy(
        **{
            "record": "0x" + "0a" * 20,
            "permission": Permission.GRU,
            "parts": tuple(PartKind),
            "price_floor_wei": "5",
            "result_classes": tuple(ResultClass),
            "trust_roots": ROOTS,
            "privacy_budget_micro_rho": 100,
            "expires": SECONDS + 1,
            "salt": bytes(32),
            **changes,
        }
    )


def some_terms(
    *, buyer: dict[str, Any] | None = None, closure: frozenset[str] = frozenset(), **changes: Any
) -> StudyTerms:
    """Return a health study by a Swiss company."""
    facts = {"address": BUYERS[0], "country": "CH", "non_profit": False, "accredited": False, **(buyer or {})}
    document = StudyDocument(
        **{
            "chain_id": 1,
            "buyer": facts["address"],
            "operator": "0x" + "0c" * 20,
            "result_key": bytes(32),
            "title": "Lipids",
            "summary": "Which variants act on blood lipids?",
            "purpose": PurposeTerms(purposes=(Purpose.HEALTH,)),
            "analysis": "gwas-linear@1",
            "parameters": {},
            "parts": (PartKind.GENOTYPES,),
            "panel": ROOTS[0],
            "privacy_micro_rho": 100,
            "price_per_record_wei": "5",
            "fee_wei": "0",
            "min_records": 1,
            "max_records": 10,
            "deadline": SECONDS + 1000,
            "keepers": ("0x" + "0d" * 20, "0x" + "0e" * 20),
            "keeper_threshold": 2,
            "measurement": ROOTS[0],
            "trust_root": ROOTS[0],
            **changes,
        }
    )
    return StudyTerms(document=document, buyer=BuyerFacts(**facts), disease_closure=closure)


policies = st.builds(
    a_policy,
    record=st.integers(1, 2**64).map(lambda number: f"0x{number:040x}"),
    permission=st.sampled_from(Permission),
    diseases=some(DISEASES),
    modifiers=some(Modifier, most=3),
    commercial_use=st.booleans(),
    ai_training=st.booleans(),
    jurisdictions=some(COUNTRIES),
    parts=some(PartKind),
    buyers_allowed=some(BUYERS),
    buyers_denied=some(BUYERS),
    mode=st.sampled_from(Mode),
    price_floor_wei=st.integers(0, 8).map(str),
    result_classes=some(ResultClass),
    trust_roots=some(ROOTS),
    privacy_budget_micro_rho=st.integers(0, 200),
    discoverable=st.booleans(),
    expires=st.integers(SECONDS - 2, SECONDS + 3),
)


def _terms(**changes: Any) -> st.SearchStrategy[StudyTerms]:
    fields: dict[str, Any] = {
        "buyer": st.fixed_dictionaries(
            {"address": st.sampled_from(BUYERS), "country": st.sampled_from(COUNTRIES), "non_profit": st.booleans()}
        ),
        "closure": some(DISEASES).map(frozenset),
        "purpose": st.builds(
            PurposeTerms,
            purposes=some(Purpose, least=1),
            pledges=some(Pledge),
            commercial=st.booleans(),
            ai_training=st.booleans(),
        ),
        "parts": some(PartKind, least=1),
        "result_class": st.sampled_from(ResultClass),
        "privacy_micro_rho": st.integers(0, 200),
        "price_per_record_wei": st.integers(0, 8).map(str),
        "trust_root": st.sampled_from(ROOTS),
        **changes,
    }
    return st.builds(some_terms, **fields)


terms = st.one_of(
    _terms(),
    _terms(
        analysis=st.just("discovery@1"),
        result_class=st.just(ResultClass.NOISED),
        privacy_micro_rho=st.integers(1, 200),
    ),
)


def change(policy: ConsentPolicy, **changes: Any) -> ConsentPolicy:
    """Return the policy with other values."""
    return msgspec.structs.replace(policy, **changes)
