"""Token amounts: integers of base units, 10^18 to a token. Floats never hold money."""

import re
from typing import Annotated

import msgspec

from nebula.protocol.errors import RejectedInputError

TOKEN_WEI = 10**18
"""Base units in one token."""

MAX_WEI = 2**128 - 1
"""The largest amount on the wire: four hundred million million million tokens. A study's escrow holds less."""

MAX_ESCROW_WEI = 2**94 - 1
"""What the ledger can lock for one study: nearly twenty billion tokens."""

_AMOUNT = re.compile(r"([0-9]{1,21})(?:\.([0-9]{1,18}))?")

Wei = Annotated[str, msgspec.Meta(pattern=r"\A(0|[1-9][0-9]{0,38})\Z")]
"""An amount on the wire: a decimal string, because JSON readers lose digits beyond 2^53."""


def parse_tokens(text: str) -> int:
    """Return the base units of an amount written in tokens, such as ``12.5``.

    Raises:
        RejectedInputError: not a plain decimal number with at most 18 places, or too large.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise RejectedInputError(
            "money.amount", f"'{text[:60]}' is not an amount: expected tokens such as 2 or 0.25, up to 18 places"
        )
    amount_wei = int(match[1]) * TOKEN_WEI + int((match[2] or "").ljust(18, "0"))
    if amount_wei > MAX_WEI:
        raise RejectedInputError("money.amount", f"{text[:60]} tokens are more than the ledger can hold")
    return amount_wei


def format_tokens(amount_wei: int) -> str:
    """Return an amount in tokens, exactly, without trailing zeros.

    Example:
        >>> format_tokens(1_250_000_000_000_000_000)
        '1.25'
    """
    whole, rest = divmod(abs(amount_wei), TOKEN_WEI)
    places = f"{rest:018d}".rstrip("0")
    return ("-" if amount_wei < 0 else "") + f"{whole:,}" + (f".{places}" if places else "")


def wei_to_wire(amount_wei: int) -> Wei:
    """Return the wire form of an amount."""
    if not 0 <= amount_wei <= MAX_WEI:
        raise RejectedInputError("money.amount", f"{amount_wei} base units are not between 0 and 2^128 - 1")
    return str(amount_wei)


def wei_from_wire(amount: Wei) -> int:
    """Return the integer behind a wire amount, refusing what the ledger could not hold."""
    value = int(amount)
    if value > MAX_WEI:
        raise RejectedInputError("money.amount", f"{amount} base units are more than the ledger can hold")
    return value
