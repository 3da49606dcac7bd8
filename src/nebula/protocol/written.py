"""Documents that people write by hand: TOML, or JSON where the file's name says so."""

from typing import TypeVar

import msgspec

from nebula.protocol.errors import RejectedInputError

T = TypeVar("T", bound=msgspec.Struct)


def parse_written(raw: bytes, name: str, kind: type[T], *, code: str, most_bytes: int) -> T:
    """Parse a document.

    Args:
        raw: of the file, whole, or as much of it as shows that it is too long.
        name: of the file, for messages; ``.json`` at its end says that it is JSON.
        kind: of the document.
        code: of the error.
        most_bytes: that it may have.

    Raises:
        RejectedInputError: under ``code``; it is too long, neither TOML nor JSON, or a field is unknown or of the
            wrong kind.
    """
    if len(raw) > most_bytes:
        raise RejectedInputError(code, f"{name} is longer than {most_bytes:,} bytes")
    decode = msgspec.json.decode if name.endswith(".json") else msgspec.toml.decode
    try:
        return decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        known = ", ".join(kind.__struct_fields__)
        raise RejectedInputError(code, f"{name}: {error}", hint=f"its fields may be: {known}") from error
    # SECURITY: the library that reads TOML raises these two itself.
    except ValueError as error:
        raise RejectedInputError(code, f"{name}: a number in it has thousands of digits") from error
    except RecursionError as error:
        raise RejectedInputError(code, f"{name}: it is nested too deeply") from error
