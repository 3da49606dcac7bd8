"""Calls to contracts: encoding, decoding, and what may be sent as a transaction."""

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from nebula.ledger.client.requests import At
from nebula.ledger.client.rpc import LedgerClient
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Address
from nebula.protocol.signing import keccak256

MAX_TRANSACTION_GAS = 16_777_216
"""What one transaction may ask for at most (EIP-7825)."""


@dataclass(frozen=True, slots=True)
class ContractCall:
    """What a transaction does: to whom, with which input, for at most how much gas.

    Gas is set by hand per kind of call: a node's estimate is wrong where a call swallows a failed inner call.
    """

    to: Address
    input: bytes = field(repr=False)
    gas: int
    what: str
    """The method's name, for people and logs."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a contract, by its signature, such as ``slot(address)``."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    selector: bytes

    def encode(self, *arguments: Any) -> bytes:
        """Return the call's input."""
        return self.selector + encode(self.inputs, arguments)

    def decode(self, output: bytes) -> Any:
        """Return the call's single result.

        Raises:
            IntegrityError: whatever stands at that address is not this contract.
        """
        try:
            (value,) = decode(self.outputs, output)
        except (DecodingError, OverflowError, UnicodeDecodeError) as error:
            raise IntegrityError("ledger.contract", f"what answered {self.name} is not Nebula's contract") from error
        return value


@cache
def artefact(name: str) -> Any:
    """Return a contract's committed artefact: ABI and bytecode."""
    return json.loads(files("nebula.ledger").joinpath("artefacts", f"{name}.json").read_text(encoding="utf-8"))


@cache
def methods(contract: str) -> dict[str, Method]:
    """Return a contract's methods by name, from its ABI."""
    return {entry["name"]: _method(entry) for entry in artefact(contract)["abi"] if entry["type"] == "function"}


def _method(entry: Any) -> Method:
    inputs = tuple(_type_of(item) for item in entry["inputs"])
    signature = f"{entry['name']}({','.join(inputs)})"
    outputs = tuple(_type_of(item) for item in entry["outputs"])
    return Method(entry["name"], inputs, outputs, keccak256(signature.encode())[:4])


def _type_of(item: Any) -> str:
    kind: str = item["type"]
    if kind.startswith("tuple"):
        return "(" + ",".join(_type_of(part) for part in item["components"]) + ")" + kind.removeprefix("tuple")
    return kind


class Contract:
    """A contract at an address; its subclasses have the reads and calls by name."""

    name: str

    def __init__(self, client: LedgerClient, address: Address) -> None:
        self.client = client
        self.address = address
        self._methods = methods(self.name)

    def _read(self, method: str, *arguments: Any, at: At = None) -> Any:
        spec = self._methods[method]
        return spec.decode(self.client.call(self.address, spec.encode(*arguments), at))

    def _read_many(self, method: str, arguments: list[tuple[Any, ...]], at: At = None) -> list[Any]:
        spec = self._methods[method]
        outputs = self.client.calls(self.address, [spec.encode(*each) for each in arguments], at)
        return [spec.decode(output) for output in outputs]

    def _call(self, method: str, *arguments: Any, gas: int) -> ContractCall:
        return ContractCall(self.address, self._methods[method].encode(*arguments), gas, f"{self.name}.{method}")
