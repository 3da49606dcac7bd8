"""Read from the ledger what a run's audit needs: one pass, pinned to one block."""

from collections.abc import Sequence

from nebula.audit.facts import PlacedTransfer, RunFacts
from nebula.ledger.client import BlockRef, LedgerClient, Network
from nebula.ledger.client import sessions as session_events
from nebula.ledger.client import studies as study_events
from nebula.ledger.client import token as token_events
from nebula.ledger.client.events import Event, EventDecoder, LedgerEvent
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.sessions import Approval, SessionRegistered
from nebula.ledger.client.studies import Claimed, Funded, Settled, SubtreeClaimed
from nebula.ledger.client.token import Transfer
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.receipt import PublicRun

_RECEIPTS_AT_ONCE = 50


def read_run(public: PublicRun, network: Network) -> RunFacts:
    """Read what the ledger says about the study and the session that a receipt names.

    Raises:
        UnavailableError: the ledger does not answer, has forgotten the past, or was reorganised meanwhile.
        IntegrityError: it is another chain, or what stands at the addresses are not the network's contracts.
    """
    client, receipt, study = network.client, public.signed.receipt, public.evidence.study
    client.require_chain(network.addresses.chain_id)
    head = client.head()
    of_study = read_events(network, study_events.EVENTS, network.addresses.studies, head, receipt.study)
    session_topic = "0x" + receipt.session[2:].rjust(64, "0")
    registered = read_events(network, session_events.EVENTS, network.addresses.sessions, head, session_topic)
    funded, settled = _one(of_study, Funded), _one(of_study, Settled)
    session = _one(registered, SessionRegistered)
    at = head.number if session is None else session.block_number
    then = head.number if settled is None else settled.block_number
    voters = sorted({vote.keeper for vote in public.votes})
    standing = network.organizations.all_in_good_standing(voters, Role.KEEPER, at) if voters else []
    facts = RunFacts(
        addresses=network.addresses,
        head=head,
        funded=funded,
        settled=settled,
        session=session,
        session_block=_block_of(client, session),
        started_at=_block(client, public.evidence.consent_block_number, head),
        consented_at=_block(client, receipt.consent_block_number, head),
        claims=tuple(item for item in of_study if isinstance(item.event, Claimed | SubtreeClaimed)),
        transfers=_transfers(client, network.addresses.token, [item.transaction_hash for item in of_study]),
        standing=dict(zip(voters, standing, strict=True)),
        vote_threshold=network.sessions.threshold(at),
        approvals=(
            _approval(network, study.measurement, study.trust_root, at=at),
            _approval(network, study.measurement, study.trust_root, at=then),
        ),
        panel_published=network.panels.is_published(study.panel, at),
        state=network.studies.state_of(receipt.study, head.number),
        escrow_wei=network.studies.escrow_wei(receipt.study, head.number),
    )
    require_steady(client, head)
    return facts


def read_events(
    network: Network, decoder: EventDecoder, address: Address, head: BlockRef, subject: str | None = None
) -> list[LedgerEvent]:
    """Return a contract's events in order; ``subject``: the first indexed value that they must name."""
    topics: list[Sequence[str]] = [decoder.topics] if subject is None else [decoder.topics, [subject]]
    first = network.addresses.deployed_block
    logs = network.client.logs([address], first=first, last=head.number, topics=topics)
    events = [event for log in logs if log.address == address and (event := decoder.decode(log)) is not None]
    return sorted(events, key=lambda event: (event.block_number, event.log_index))


def require_steady(client: LedgerClient, head: BlockRef) -> None:
    """Make sure that what was read is of one chain.

    Raises:
        UnavailableError: the chain changed while it was read.
    """
    now = client.block(head.number)
    if now is None or now.hash != head.hash:
        raise UnavailableError("ledger.unsteady", "the ledger was reorganised while it was read", hint="audit again")


def _one(events: Sequence[LedgerEvent], kind: type[Event]) -> LedgerEvent | None:
    """Return the only event of a kind. Of several none is believed: the contracts log these once."""
    found = [item for item in events if isinstance(item.event, kind)]
    return found[0] if len(found) == 1 else None


def _block(client: LedgerClient, number: int, head: BlockRef) -> BlockRef | None:
    return client.block(number) if number <= head.number else None


def _block_of(client: LedgerClient, placed: LedgerEvent | None) -> BlockRef | None:
    return None if placed is None else client.block(placed.block_number)


def _approval(network: Network, measurement: Hash32, trust_root: Hash32, *, at: int) -> Approval:
    return network.sessions.approval(measurement, trust_root, at)


def _transfers(
    client: LedgerClient, token: Address, hashes: Sequence[Hash32]
) -> dict[Hash32, tuple[PlacedTransfer, ...]]:
    found: dict[Hash32, tuple[PlacedTransfer, ...]] = {}
    wanted = list(dict.fromkeys(hashes))
    for start in range(0, len(wanted), _RECEIPTS_AT_ONCE):
        for receipt in client.receipts(wanted[start : start + _RECEIPTS_AT_ONCE]):
            if receipt is None:
                raise UnavailableError("ledger.unsteady", "the ledger lost a transaction while it was read")
            found[receipt.transaction_hash] = tuple(
                PlacedTransfer(item.log_index, item.event)
                for log in receipt.logs
                if log.address == token and (item := token_events.EVENTS.decode(log)) is not None
                if isinstance(item.event, Transfer)
            )
    return found
