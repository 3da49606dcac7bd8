"""The checks of the whole network, each over its complete history."""

from collections import Counter, defaultdict

from nebula.audit.network_facts import NetworkFacts
from nebula.audit.report import require
from nebula.ledger.client import records
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.records import Slot
from nebula.ledger.client.sessions import SessionRegistered
from nebula.ledger.client.studies import Claimed, Funded, Refunded, Settled, SubtreeClaimed
from nebula.ledger.client.token import Burned, Minted, Transfer
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.money import format_tokens

_NOBODY = "0x" + "00" * 20


def contracts(facts: NetworkFacts) -> str:
    """The contracts know each other, and no stranger in another's place."""
    for (name, other), address in facts.wiring.items():
        require(address == getattr(facts.addresses, other), f"the {name} contract takes {address} for the {other}")
    return "the six contracts belong together"


def supply(facts: NetworkFacts) -> str:
    """As many tokens exist as desks minted and did not burn; and nobody's balance was ever below zero."""
    minted = sum(item.event.amount for item in facts.of("token", Minted) if isinstance(item.event, Minted))
    burned = sum(item.event.amount for item in facts.of("token", Burned) if isinstance(item.event, Burned))
    require(facts.supply_wei == minted - burned, "the supply is not what was minted less what was burned")
    balances = Counter[Address]()
    for item in facts.of("token", Transfer):
        if isinstance(item.event, Transfer):
            balances[item.event.sender] -= item.event.amount
            balances[item.event.receiver] += item.event.amount
            require(item.event.sender == _NOBODY or balances[item.event.sender] >= 0, "tokens moved that nobody had")
    require(balances[_NOBODY] == -facts.supply_wei, "tokens came from nowhere, or went there")
    require(balances[facts.addresses.studies] == facts.held_wei, "the studies hold what was never moved to them")
    told = [format_tokens(amount) for amount in (minted, burned, facts.supply_wei)]
    return f"{told[0]} tokens minted, {told[1]} burned, {told[2]} exist"


def payments(facts: NetworkFacts) -> str:
    """Each mint stands against a payment of its own; only desks in good standing mint and burn."""
    minted = [item.event for item in facts.of("token", Minted) if isinstance(item.event, Minted)]
    require(len({event.payment for event in minted}) == len(minted), "tokens were minted twice against one payment")
    for item in facts.of("token", Minted, Burned):
        if isinstance(item.event, Minted | Burned):
            standing = facts.standings.get((item.event.desk, Role.DESK, item.block_number))
            require(standing, f"{item.event.desk} was no desk in good standing in block {item.block_number}")
    return f"tokens minted {len(minted):,} times, against as many payments"


def escrows(facts: NetworkFacts) -> str:
    """Each study holds what was locked less what went out, and all together what the contract has."""
    expected = defaultdict[Hash32, int](int)
    locked = 0
    for item in facts.events["studies"]:
        event = item.event
        if isinstance(event, Funded):
            expected[event.study] += event.price_wei * event.max_records + event.fee_wei
            locked += event.price_wei * event.max_records + event.fee_wei
        elif isinstance(event, Settled):
            expected[event.study] -= event.fee_wei + event.refund_wei
        elif isinstance(event, Refunded):
            expected[event.study] -= event.refund_wei
        elif isinstance(event, Claimed):
            expected[event.study] -= event.amount
        elif isinstance(event, SubtreeClaimed):
            expected[event.study] -= event.amount_wei
    for study, amount in expected.items():
        require(facts.escrows_wei.get(study) == amount, f"study {study} does not hold what its events leave of it")
    total = sum(facts.escrows_wei.values())
    stray = _received(facts) - locked
    require(stray >= 0, "a study was funded with tokens that never came")
    # Anyone may send tokens to the contract: they belong to no study and stay there.
    require(facts.held_wei == total + stray, "the studies' balance is not the sum of all escrows")
    gifts = f", and {format_tokens(stray)} that somebody sent for no study" if stray else ""
    return f"{len(expected)} studies hold {format_tokens(total)} tokens, all of them there{gifts}"


def _received(facts: NetworkFacts) -> int:
    moved = (item.event for item in facts.of("token", Transfer))
    studies = facts.addresses.studies
    return sum(event.amount for event in moved if isinstance(event, Transfer) and event.receiver == studies)


def keepers(facts: NetworkFacts) -> str:
    """Every session was voted for by enough different keepers, all in good standing then."""
    unseen = 0
    sessions = facts.of("sessions", SessionRegistered)
    for item in sessions:
        voters = facts.voters[item.event.session] if isinstance(item.event, SessionRegistered) else ()
        if voters is None:
            unseen += 1
            continue
        where = f"the session in block {item.block_number}"
        require(len(set(voters)) >= facts.vote_threshold, f"too few keepers voted for {where}")
        for voter in voters:
            standing = facts.standings.get((voter, Role.KEEPER, item.block_number))
            require(standing, f"{voter}, who voted for {where}, was no keeper in good standing")
    seen = f"keepers in good standing voted for {len(sessions) - unseen} sessions"
    return seen + (f"; {unseen} came in through another contract, where votes cannot be read" if unseen else "")


def slots(facts: NetworkFacts) -> str:
    """Every record's slot is where its own events lead, one version at a time."""
    replayed: dict[Address, Slot] = {}
    for item in facts.events["records"]:
        event = item.event
        if not isinstance(event, records.Registered | records.Updated | records.Withdrawn):
            continue
        before = replayed.get(event.record, Slot(event.record, None, 0))
        if isinstance(event, records.Withdrawn):
            require(event.version > before.version, f"record {event.record} was withdrawn into its past")
            replayed[event.record] = Slot(event.record, None, event.version)
            continue
        follows = event.version == before.version + 1 and before.is_live is isinstance(event, records.Updated)
        require(follows, f"record {event.record} changed out of order in block {item.block_number}")
        replayed[event.record] = Slot(event.record, event.commitment, event.version)
    for record, slot in replayed.items():
        require(facts.slots.get(record) == slot, f"record {record} does not stand where its events lead")
    live = sum(slot.is_live for slot in replayed.values())
    return f"all {len(replayed)} on the ledger stand where their events lead, {live} of them live"
