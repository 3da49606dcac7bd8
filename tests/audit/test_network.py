from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from audit.miniature import PEOPLE, Miniature
from ledger.ledgers import FAUCET
from nebula.audit.network import NETWORK_CHECKS, audit_network, check_network
from nebula.audit.network_facts import NetworkFacts, read_network
from nebula.ledger.client.records import Put
from nebula.ledger.client.token import Minted
from nebula.protocol.keys import SigningKey
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.typed_data import record_put_digest, record_withdrawal_digest

STRANGER = "0x" + "98" * 20
COMMITMENT = b"\x17" * 26


@pytest.fixture(scope="module")
def facts(miniature: Miniature) -> NetworkFacts:
    """A network on which records came, changed, went and came back, and tokens were burned."""
    market, network = miniature.market, miniature.network
    domain = network.records.domain(network.addresses.chain_id)
    first, second = SigningKey.generate(), SigningKey.generate()

    def put(key: SigningKey, version: int) -> Put:
        signature = key.sign_digest(record_put_digest(domain, key.address, COMMITMENT, version=version))
        return Put(key.address, COMMITMENT, version, signature)

    market.ledger.transact(FAUCET, network.records.put_many([put(first, 1), put(second, 1), put(second, 9)]))
    market.ledger.transact(FAUCET, network.records.put(put(second, 2)))
    gone = first.sign_digest(record_withdrawal_digest(domain, first.address, version=5))
    market.ledger.transact(FAUCET, network.records.withdraw(first.address, version=5, signature=gone))
    market.ledger.transact(FAUCET, network.records.put(put(first, 6)))
    market.ledger.transact(market.desk.secret, network.token.mint(market.desk.address, 5, "0x" + "43" * 32))
    market.ledger.transact(market.desk.secret, network.token.burn(2, "0x" + "44" * 32))
    return read_network(network)


def names(facts: NetworkFacts) -> set[str]:
    return {check.name for check in check_network(facts).failed}


def test_an_honest_network_passes_every_check(miniature: Miniature, facts: NetworkFacts) -> None:
    report = audit_network(miniature.network)
    assert report.failed == ()
    assert [check.name for check in report.checks] == [name for name, _ in NETWORK_CHECKS]
    assert report.simulated
    assert sum(facts.escrows_wei.values()) == 0
    assert facts.supply_wei == 10_000 * TOKEN_WEI + 3
    assert {len(voters or ()) for voters in facts.voters.values()} == {2}
    assert len(miniature.public.payouts) == PEOPLE


def test_tokens_sent_to_the_contract_for_no_study_are_told_apart(miniature: Miniature, facts: NetworkFacts) -> None:
    """Anyone can do this: it must neither fail an honest network, nor hide a hole in an escrow."""
    market, network = miniature.market, miniature.network
    market.ledger.transact(market.buyer.secret, network.token.transfer(network.addresses.studies, 7))
    after = read_network(network)
    assert names(after) == set()
    assert names(replace(after, held_wei=after.held_wei - 7)) == {"supply", "escrows"}


def without_last(contract: str) -> Callable[[NetworkFacts], NetworkFacts]:
    return lambda facts: replace(facts, events={**facts.events, contract: facts.events[contract][:-1]})


def event(contract: str, place: int, **fields: Any) -> Callable[[NetworkFacts], NetworkFacts]:
    def alter(facts: NetworkFacts) -> NetworkFacts:
        items = list(facts.events[contract])
        items[place] = replace(items[place], event=replace(items[place].event, **fields))
        return replace(facts, events={**facts.events, contract: tuple(items)})

    return alter


def one_payment(facts: NetworkFacts) -> NetworkFacts:
    items = tuple(
        replace(item, event=replace(item.event, payment="0x" + "42" * 32)) if isinstance(item.event, Minted) else item
        for item in facts.events["token"]
    )
    return replace(facts, events={**facts.events, "token": items})


def no_standing(facts: NetworkFacts) -> NetworkFacts:
    return replace(facts, standings=dict.fromkeys(facts.standings, False))


def slots(**fields: Any) -> Callable[[NetworkFacts], NetworkFacts]:
    def alter(facts: NetworkFacts) -> NetworkFacts:
        record, slot = next(iter(facts.slots.items()))
        return replace(facts, slots={**facts.slots, record: replace(slot, **fields)})

    return alter


def voters(*who: str) -> Callable[[NetworkFacts], NetworkFacts]:
    return lambda facts: replace(facts, voters=dict.fromkeys(facts.voters, who))


ODD: list[tuple[str, str, Callable[[NetworkFacts], NetworkFacts]]] = [
    ("contracts", "a stranger's token", lambda f: replace(f, wiring={("studies", "token"): STRANGER})),
    ("supply", "one unit from nowhere", lambda f: replace(f, supply_wei=f.supply_wei + 1)),
    ("supply", "a burn untold", without_last("token")),
    ("supply", "tokens moved that nobody had", event("token", 2, sender=STRANGER)),
    ("payments", "two mints on one payment", one_payment),
    ("payments", "a desk without standing", no_standing),
    ("escrows", "a study with a unit more", lambda f: replace(f, escrows_wei=dict.fromkeys(f.escrows_wei, 1))),
    ("escrows", "a balance below the escrows", lambda f: replace(f, held_wei=-1)),
    ("escrows", "a claim untold", without_last("studies")),
    ("keepers", "keepers without standing", no_standing),
    ("keepers", "a stranger's vote", voters(STRANGER, "0x" + "97" * 20)),
    ("keepers", "nobody's votes", voters()),
    ("keepers", "one keeper twice", lambda f: voters(*[next(iter(f.voters.values()))[0]] * 2)(f)),  # type: ignore[index]
    ("records", "a slot of another version", slots(version=77)),
    ("records", "a slot of another commitment", slots(commitment=b"\x01" * 26)),
    ("records", "a change untold", without_last("records")),
    ("records", "a version skipped", event("records", -1, version=8)),
    ("records", "no slots", lambda f: replace(f, slots={})),
]


@pytest.mark.parametrize(("check", "what", "alter"), ODD, ids=[f"{check}: {what}" for check, what, _ in ODD])
def test_an_odd_network_fails_the_check_that_is_about_it(
    facts: NetworkFacts, check: str, what: str, alter: Callable[[NetworkFacts], NetworkFacts]
) -> None:
    assert check in names(alter(facts))


def test_votes_that_came_in_through_another_contract_are_counted_as_unseen(facts: NetworkFacts) -> None:
    unseen = replace(facts, voters=dict.fromkeys(facts.voters, None))
    (keepers,) = [check for check in check_network(unseen).checks if check.name == "keepers"]
    assert keepers.passed
    assert "cannot be read" in keepers.sentence
