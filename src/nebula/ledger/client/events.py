"""Events, decoded by hand from the node's hex: a hundred times faster than a general decoder.

An event's class is a frozen dataclass whose fields stand in the order of the contract's; the topic and the places of
the fields come from the committed ABI, so that a contract and its class cannot drift apart unnoticed.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from nebula.ledger.client.answers import RawLog
from nebula.ledger.client.calls import artefact
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Address, Hash32, to_hex
from nebula.protocol.signing import keccak256

_WORD = 64  # hex digits


class Event:
    """Base of every event; ``contract`` names the artefact it is declared in."""

    contract: ClassVar[str]


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """An event with its place on the ledger."""

    block_number: int
    log_index: int
    block_hash: Hash32
    transaction_hash: Hash32
    address: Address
    event: Event


def _address(word: str) -> str:
    return "0x" + word[24:]


def _hash(word: str) -> str:
    return "0x" + word


def _uint(word: str) -> int:
    return int(word, 16)


_WORDS: dict[str, Callable[[str], Any]] = {
    "address": _address,
    "bytes32": _hash,
    "bytes26": lambda word: bytes.fromhex(word[:52]),
    "bytes2": lambda word: bytes.fromhex(word[:4]).decode("ascii"),
    "bool": lambda word: int(word, 16) == 1,
}


class EventDecoder:
    """Decodes the events of one contract into their classes."""

    def __init__(self, contract: str, kinds: tuple[type[Event], ...]) -> None:
        declared = {entry["name"]: entry["inputs"] for entry in artefact(contract)["abi"] if entry["type"] == "event"}
        self._readers: dict[str, Callable[[RawLog], Event]] = {}
        for kind in kinds:
            inputs = declared[kind.__name__]
            if [item["name"] for item in inputs] != [field.name for field in fields(kind)]:  # type: ignore[arg-type]
                raise TypeError(f"{kind.__name__} does not mirror the contract's event")
            signature = f"{kind.__name__}({','.join(item['type'] for item in inputs)})"
            self._readers[to_hex(keccak256(signature.encode()))] = _reader(kind, inputs)

    @property
    def topics(self) -> list[str]:
        """The first topics of all events decoded here."""
        return list(self._readers)

    def decode(self, log: RawLog) -> LedgerEvent | None:
        """Return the event, or None for one that has no class here.

        Raises:
            IntegrityError: the log has the event's topic, but not its form.
        """
        reader = self._readers.get(log.topics[0]) if log.topics else None
        if reader is None:
            return None
        try:
            event = reader(log)
        except (ValueError, IndexError) as error:
            raise IntegrityError("ledger.log", f"a log of {log.address} does not have its event's form") from error
        return LedgerEvent(log.block_number, log.log_index, log.block_hash, log.transaction_hash, log.address, event)


def _reader(kind: type[Event], inputs: list[Any]) -> Callable[[RawLog], Event]:
    plan: list[tuple[bool, int, Callable[[str], Any] | None]] = []
    topic, place = 1, 0
    for item in inputs:
        word = _WORDS.get(item["type"], None if item["type"] == "string" else _uint)
        if item["indexed"]:
            plan.append((True, topic, word))
            topic += 1
        else:
            plan.append((False, 2 + place * _WORD, word))
            place += 1
    least = 2 + place * _WORD

    def read(log: RawLog) -> Event:
        if len(log.body) < least or len(log.topics) != topic:
            raise ValueError
        values = []
        for indexed, where, word in plan:
            if word is None:
                values.append(_text(log.body, where))
            else:
                values.append(word(log.topics[where][2:] if indexed else log.body[where : where + _WORD]))
        return kind(*values)

    return read


def _text(body: str, where: int) -> str:
    start = 2 + 2 * int(body[where : where + _WORD], 16)
    length = int(body[start : start + _WORD], 16)
    digits = body[start + _WORD : start + _WORD + 2 * length]
    if len(digits) != 2 * length:
        raise ValueError
    return bytes.fromhex(digits).decode("utf-8", "replace")
