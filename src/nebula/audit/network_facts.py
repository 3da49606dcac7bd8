"""Read from the ledger what the network's audit needs: the events of the contracts, and where they led."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from nebula.audit.ledger import read_events, require_steady
from nebula.ledger.client import BlockRef, Network, NetworkAddresses, organizations, records, sessions, studies, token
from nebula.ledger.client.calls import methods
from nebula.ledger.client.events import Event, LedgerEvent
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.records import Slot
from nebula.ledger.client.sessions import SessionRegistered
from nebula.ledger.client.studies import Funded
from nebula.ledger.client.token import Burned, Minted
from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.signing import recover
from nebula.protocol.typed_data import SessionVote, session_vote_digest

_DECODERS = {
    "organizations": organizations.EVENTS,
    "token": token.EVENTS,
    "records": records.EVENTS,
    "sessions": sessions.EVENTS,
    "studies": studies.EVENTS,
}
_WIRING = (
    ("token", "organizations"),
    ("sessions", "organizations"),
    ("studies", "token"),
    ("studies", "organizations"),
    ("studies", "sessions"),
    ("panels", "organizations"),
)
Standing = tuple[Address, Role, int]
"""Somebody in a role at a block."""


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """The network's whole history, and where it stands.

    Attributes:
        events: by contract, in order.
        wiring: (contract, which other) to the address that the contract has for it.
        voters: by session; None where its votes came in through another contract.
        standings: of desks when they minted or burned, and of keepers when they voted.
    """

    addresses: NetworkAddresses
    head: BlockRef
    events: Mapping[str, tuple[LedgerEvent, ...]]
    wiring: Mapping[tuple[str, str], Address]
    supply_wei: int
    held_wei: int
    escrows_wei: Mapping[Hash32, int]
    slots: Mapping[Address, Slot]
    voters: Mapping[Address, tuple[Address, ...] | None]
    vote_threshold: int
    standings: Mapping[Standing, bool]

    def of(self, contract: str, *kinds: type[Event]) -> list[LedgerEvent]:
        """Return a contract's events of some kinds, in order."""
        return [item for item in self.events[contract] if isinstance(item.event, kinds)]


def read_network(network: Network) -> NetworkFacts:
    """Read everything, pinned to one block.

    Raises:
        UnavailableError: the ledger does not answer, has forgotten the past, or was reorganised meanwhile.
        IntegrityError: it is another chain, or what stands at the addresses are not the network's contracts.
    """
    client, addresses = network.client, network.addresses
    client.require_chain(addresses.chain_id)
    head = client.head()
    at = head.number
    events = {
        name: tuple(read_events(network, decoder, getattr(addresses, name), head))
        for name, decoder in _DECODERS.items()
    }
    voters = _voters(network, events["sessions"])
    known = sorted({item.event.record for item in events["records"] if not isinstance(item.event, records.Refused)})  # type: ignore[attr-defined]  # every other event of this contract names its record
    funded = [item.event.study for item in events["studies"] if isinstance(item.event, Funded)]
    facts = NetworkFacts(
        addresses=addresses,
        head=head,
        events=events,
        wiring={(name, other): _wired(network, name, other, at) for name, other in _WIRING},
        supply_wei=network.token.supply_wei(at),
        held_wei=network.token.balance_wei(addresses.studies, at),
        escrows_wei={study: network.studies.escrow_wei(study, at) for study in funded},
        slots={slot.record: slot for slot in (network.records.slots(known, at) if known else [])},
        voters=voters,
        vote_threshold=network.sessions.threshold(at),
        standings=_standings(network, events, voters),
    )
    require_steady(client, head)
    return facts


def _wired(network: Network, contract: str, other: str, at: int) -> Address:
    method = methods(contract)[other]
    return str(method.decode(network.client.call(getattr(network.addresses, contract), method.encode(), at))).lower()


def _standings(
    network: Network,
    events: Mapping[str, tuple[LedgerEvent, ...]],
    voters: Mapping[Address, tuple[Address, ...] | None],
) -> dict[Standing, bool]:
    asked: set[Standing] = set()
    for item in events["token"]:
        if isinstance(item.event, Minted | Burned):
            asked.add((item.event.desk, Role.DESK, item.block_number))
    for item in events["sessions"]:
        if isinstance(item.event, SessionRegistered):
            asked |= {(keeper, Role.KEEPER, item.block_number) for keeper in voters[item.event.session] or ()}
    return {each: network.organizations.in_good_standing(each[0], each[1], each[2]) for each in sorted(asked)}


def _voters(network: Network, events: tuple[LedgerEvent, ...]) -> dict[Address, tuple[Address, ...] | None]:
    """Return who voted for each session: votes stand in the transaction that registered it, not in its event."""
    found: dict[Address, tuple[Address, ...] | None] = {}
    registered = [(item, item.event) for item in events if isinstance(item.event, SessionRegistered)]
    requests = [("eth_getTransactionByHash", [item.transaction_hash]) for item, _ in registered]
    for (_, event), transaction in zip(registered, network.client.results(requests), strict=True):
        if transaction is None:
            raise UnavailableError("ledger.unsteady", "the ledger lost a transaction while it was read")
        found[event.session] = _voters_in(transaction, event, network)
    return found


def _voters_in(transaction: Any, event: SessionRegistered, network: Network) -> tuple[Address, ...] | None:
    register = methods("sessions")["register_session"]
    raw = bytes.fromhex(transaction["input"][2:])
    direct = (transaction["to"] or "").lower() == network.addresses.sessions and raw[:4] == register.selector
    if not direct:
        return None
    vote = SessionVote(
        session=event.session,
        study=event.study,
        run=event.run,
        measurement=event.measurement,
        trust_root=event.trust_root,
        evidence=event.evidence,
    )
    digest = session_vote_digest(network.sessions.domain(network.addresses.chain_id), vote)
    try:
        *_, votes = decode(register.inputs, raw[4:])
        return tuple(recover(digest, signature) for signature in votes)
    except (DecodingError, RejectedInputError):
        return ()  # nobody's: the check of the votes will say so
