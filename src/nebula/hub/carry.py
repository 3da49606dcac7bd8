"""Carry owners' signed writes to the ledger, and pay their gas.

Only what the ledger would take is carried: signed by the record's own control key, and next to what stands there.
What stands there already is done: whoever is unsure may send the same again, and what was lost on the way goes out
anew. Whoever sent them looks at the ledger itself and needs to believe nobody.
"""

import hashlib
from collections.abc import Sequence

from nebula.ledger.client import ContractCall, Network, RevertedError
from nebula.ledger.client.records import MAX_PUTS, Put, Slot
from nebula.ledger.relay import Relay
from nebula.protocol.errors import IntegrityError, NotPermittedError
from nebula.protocol.ids import Hash32, to_bytes
from nebula.protocol.messages import RecordPut, RelayAnswer, RelayRequest
from nebula.protocol.signing import recover
from nebula.protocol.typed_data import Domain, record_put_digest, record_withdrawal_digest

WITHDRAWN = "0x" + "00" * 26


class RecordCarrier:
    """Brings records' registrations, updates and withdrawals to the ledger."""

    def __init__(self, network: Network, relay: Relay) -> None:
        self._records = network.records
        self._domain = network.records.domain(network.addresses.chain_id)
        self._relay = relay

    def carry(self, request: RelayRequest) -> RelayAnswer:
        """Carry writes and return the transactions that were needed for it, withdrawals first.

        Registrations and updates go in batches, in which one that the ledger refuses stops no other; withdrawals
        go alone.

        Raises:
            IntegrityError: a write is not signed by its record's control key; none is carried.
            NotPermittedError: the ledger refuses.
            UnavailableError: the ledger is away; send the same again.
        """
        for put in request.puts:
            _check_signature(put, self._domain)
        slots = {slot.record: slot for slot in self._records.slots([put.record for put in request.puts])}
        wanted = [put for put in request.puts if _is_wanted(put, slots[put.record])]
        keys = [self._submit(what, page) for what, page in _transactions(wanted)]
        return RelayAnswer(transactions=tuple(map(self._wait, keys)))

    def _submit(self, what: str, page: Sequence[RecordPut]) -> str:
        """Decide on a transaction: the one that is under way with this page, or a new one."""
        digest = hashlib.sha256(b"".join(put.signature for put in page)).hexdigest()
        key = self._relay.open_attempt(f"{what}-{digest}")
        self._relay.submit(key, self._call(page))
        return key

    def _call(self, page: Sequence[RecordPut]) -> ContractCall:
        first = page[0]
        if first.commitment == WITHDRAWN:
            return self._records.withdraw(first.record, version=first.version, signature=first.signature)
        return self._records.put_many(
            [Put(put.record, to_bytes(put.commitment), put.version, put.signature) for put in page]
        )

    def _wait(self, key: str) -> Hash32:
        try:
            return self._relay.wait(key).transaction_hash or ""
        except RevertedError as error:
            raise NotPermittedError("ledger.refused", f"the ledger refuses: {error.reason}") from error


def _transactions(puts: Sequence[RecordPut]) -> list[tuple[str, Sequence[RecordPut]]]:
    """Which writes share a transaction."""
    writes = [put for put in puts if put.commitment != WITHDRAWN]
    alone: list[tuple[str, Sequence[RecordPut]]] = [("withdraw", [put]) for put in puts if put.commitment == WITHDRAWN]
    return alone + [("put", writes[start : start + MAX_PUTS]) for start in range(0, len(writes), MAX_PUTS)]


def _is_wanted(put: RecordPut, slot: Slot) -> bool:
    """Whether the ledger would take a write, and does not have it yet.

    A withdrawal of what is not live is wanted where it outruns a registration that may be on its way.
    """
    if put.commitment == WITHDRAWN:
        return put.version > slot.version + (0 if slot.is_live else 1)
    return put.version == slot.version + 1


def _check_signature(put: RecordPut, domain: Domain) -> None:
    # SECURITY: anyone may send writes, and the hub pays for what it carries.
    if put.commitment == WITHDRAWN:
        digest = record_withdrawal_digest(domain, put.record, version=put.version)
    else:
        digest = record_put_digest(domain, put.record, to_bytes(put.commitment), version=put.version)
    if recover(digest, put.signature) != put.record:
        raise IntegrityError("hub.record-signature", f"the control key of record {put.record} did not sign this")
