"""How many policies are decided a second: one study over many policies, a column at a time.

    python benchmarks/consent.py [--policies 1000000]

One core. The policies are laid out once (timed apart: a keeper does that when policies change, not per study); timed is
what each study costs. Beside it the same decisions one by one, which also give reasons.
"""

import argparse
import random
import time
from datetime import UTC, datetime

from nebula.protocol.consent import ConsentPolicy, Mode, permits
from nebula.protocol.consent_columns import PolicyColumns, count_reasons
from nebula.protocol.duo import Modifier, Permission, Purpose
from nebula.protocol.study import BuyerFacts, PartKind, PurposeTerms, ResultClass, StudyDocument, StudyTerms

ROUNDS = 5
NOW = datetime(2026, 11, 24, tzinfo=UTC)
BUYER = "0x" + "0b" * 20
ROOTS = ("0x" + "01" * 32, "0x" + "02" * 32)
COUNTRIES = ("CH", "DE", "FR", "US", "JP")


def some_policy(rng: random.Random, number: int) -> ConsentPolicy:
    """Return a policy as varied as people are: a few thousand distinct lists, prices and budgets."""
    return ConsentPolicy(
        record=f"0x{number:040x}",
        permission=rng.choice(list(Permission)),
        diseases=tuple(f"MONDO:{rng.randrange(500):07d}" for _ in range(rng.randrange(3))),
        modifiers=tuple(rng.sample(list(Modifier), rng.randrange(3))),
        commercial_use=rng.random() < 0.5,
        ai_training=rng.random() < 0.3,
        jurisdictions=tuple(rng.sample(COUNTRIES, rng.randrange(4))),
        parts=tuple(PartKind)[: rng.randrange(1, 4)],
        buyers_denied=(BUYER,) if rng.random() < 0.05 else (),
        mode=rng.choice(list(Mode)),
        price_floor_wei=str(rng.randrange(2000) * 10**15),
        result_classes=tuple(ResultClass)[: rng.randrange(1, 4)],
        trust_roots=ROOTS[: rng.randrange(1, 3)],
        privacy_budget_micro_rho=rng.randrange(1000) * 1000,
        expires=1_700_000_000 + rng.randrange(3650) * 86_400,
        salt=bytes(32),
    )


def a_study() -> StudyTerms:
    """Return a study on heart disease by a Swiss non-profit."""
    document = StudyDocument(
        chain_id=20017,
        buyer=BUYER,
        operator="0x" + "0c" * 20,
        result_key=bytes(32),
        title="Lipids",
        summary="Which variants act on blood lipids?",
        purpose=PurposeTerms(purposes=(Purpose.HEALTH, Purpose.DISEASE), diseases=("MONDO:0000007",)),
        analysis="gwas-linear@1",
        parameters={},
        parts=(PartKind.GENOTYPES,),
        panel="0x" + "03" * 32,
        price_per_record_wei=str(10**18),
        fee_wei="0",
        min_records=100,
        max_records=1_000_000,
        deadline=2_000_000_000,
        keepers=("0x" + "0d" * 20,),
        keeper_threshold=1,
        measurement="0x" + "04" * 32,
        trust_root=ROOTS[0],
    )
    buyer = BuyerFacts(address=BUYER, country="CH", non_profit=True, accredited=False)
    return StudyTerms(document=document, buyer=buyer, disease_closure=frozenset({"MONDO:0000007", "MONDO:0000001"}))


def main() -> None:
    """Lay out, decide, compare."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--policies", type=int, default=1_000_000)
    count = asked.parse_args().policies
    rng = random.Random(1)
    policies = [some_policy(rng, number) for number in range(count)]
    terms = a_study()
    start = time.perf_counter()
    columns = PolicyColumns.encode(policies)
    print(f"laying out {count:,} policies: {time.perf_counter() - start:.2f} s, once")
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        refusals = columns.decide(terms, at=NOW)
        seconds.append(time.perf_counter() - start)
    print(
        f"a column at a time: {count / min(seconds):14,.0f} decisions/s"
        f"   (slowest of {ROUNDS}: {count / max(seconds):,.0f})"
    )
    few = policies[:20_000]
    start = time.perf_counter()
    decisions = [permits(policy, terms, at=NOW) for policy in few]
    print(f"one by one, with reasons: {len(few) / (time.perf_counter() - start):8,.0f} decisions/s")
    assert [decision.refusals for decision in decisions] == refusals[: len(few)].tolist()
    print(f"permitted: {int((refusals == 0).sum()):,}; refused: {count_reasons(refusals)}")
    print("the needed rate is 1,000,000 decisions/s")


if __name__ == "__main__":
    main()
