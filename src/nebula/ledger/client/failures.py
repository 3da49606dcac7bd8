"""What went wrong at a node, sorted by who must act."""

from typing import Any

from nebula.ledger.client.answers import from_hex
from nebula.ledger.client.reverts import revert_reason
from nebula.protocol.errors import NebulaError, NotPermittedError, RejectedInputError, UnavailableError

_REVERTED = 3
_AWAY_CODES = (-32002, -32603)
_LIMIT_CODE = -32005
_LIMIT_WORDS = ("too large", "more than", "limit exceeded", "query returned", "range")
_MEANINGS = (
    ("already known", "ledger.known"),
    ("already imported", "ledger.known"),
    ("nonce too low", "ledger.nonce-low"),
    ("nonce too high", "ledger.nonce-high"),
    ("insufficient funds", "ledger.ether"),
)


class RevertedError(NotPermittedError):
    """A contract said no. ``reason`` is its own sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__("ledger.reverted", f"the ledger refuses: {reason}")
        self.reason = reason


class TooMuchError(RejectedInputError):
    """The node would have to answer too much at once: ask for less."""


def result_of(answer: Any) -> Any:
    """Return what one answer holds: its result, or the error that it stands for."""
    if "error" in answer:
        return failure_of(answer["error"])
    return answer["result"] if "result" in answer else failure_of(None)


def failure_of(error: Any) -> NebulaError:
    """Return a node's error, sorted by who must act: nodes differ in codes and words."""
    if not isinstance(error, dict):
        return UnavailableError("ledger.away", "the ledger's answer is neither a result nor an error")
    code, extra = error.get("code"), error.get("data")
    message = str(error.get("message") or "the node gives no reason")
    if code == _REVERTED or "revert" in message.lower():
        output = from_hex(extra) if isinstance(extra, str) and extra.startswith("0x") else b""
        return RevertedError(revert_reason(output) or message)
    if code in _AWAY_CODES:
        return UnavailableError("ledger.away", f"the ledger is out of order: {message}")
    if code == _LIMIT_CODE or any(words in message.lower() for words in _LIMIT_WORDS):
        return TooMuchError("ledger.too-much", message)
    return RejectedInputError(_code_of(extra, message), message)


def _code_of(extra: Any, message: str) -> str:
    if isinstance(extra, dict) and isinstance(extra.get("code"), str):
        return str(extra["code"])
    return next((code for words, code in _MEANINGS if words in message.lower()), "ledger.refused")
