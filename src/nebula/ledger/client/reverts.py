"""Why a contract refused: its own sentence out of revert data."""

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

_ERROR = bytes.fromhex("08c379a0")  # Error(string)
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)


def revert_reason(output: bytes) -> str | None:
    """Return the sentence in revert data, or None where there is none."""
    # SECURITY: a stranger's contract may have written these bytes.
    selector, body = output[:4], output[4:]
    try:
        if selector == _ERROR:
            return str(decode(["string"], body)[0])
        if selector == _PANIC:
            return f"the contract failed inside (panic {decode(['uint256'], body)[0]:#x})"
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return None
    return f"error {selector.hex()}" if output else None
