"""Which studies were settled, and on which receipt: what anyone compares a hub's files with."""

from nebula.ledger.client.rpc import LedgerClient
from nebula.ledger.client.studies import EVENTS, Settled
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Address, Hash32, to_hex
from nebula.protocol.receipt import PublicRun
from nebula.protocol.run_statement import check_statement
from nebula.protocol.typed_data import Domain, receipt_digest


def read_settlements(
    client: LedgerClient, studies: Address, *, first_block: int, study: Hash32 | None = None
) -> list[Settled]:
    """Return settlements in the ledger's order: all of them, or one study's."""
    topics = [EVENTS.topics] if study is None else [EVENTS.topics, [study]]
    logs = client.logs([studies], first=first_block, last=client.head().number, topics=topics)
    found = [EVENTS.decode(log) for log in logs if log.address == studies]
    return [item.event for item in found if item is not None and isinstance(item.event, Settled)]


def check_settled(public: PublicRun, settled: Settled, domain: Domain) -> PublicRun:
    """Return a run's public file if the ledger settled on exactly its receipt, and its session made its statement.

    The ledger did so only because a session that the keepers vouched for had signed that receipt.

    Raises:
        IntegrityError: the file is another run's, or its receipt or statement another one.
    """
    # SECURITY: a hub's file comes in here.
    receipt = public.signed.receipt
    if (receipt.study, receipt.run) != (settled.study, settled.run):
        raise IntegrityError("settlement.run", "the hub handed out another run's file")
    if to_hex(receipt_digest(domain, receipt)) != settled.receipt:
        raise IntegrityError("settlement.receipt", "this receipt is not the one that the ledger settled on")
    check_statement(public.statement, public.signed, domain)
    return public
