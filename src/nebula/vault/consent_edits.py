"""Change an owner's policy by naming what is to be different: from the command line, or from a file.

Only what is named changes. ``any`` in a list of countries or buyers, ``none`` in one of diseases or conditions, empties
it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from nebula.protocol.consent import ConsentPolicy, Mode
from nebula.protocol.duo import LABELS, Modifier, Permission
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import parse_address
from nebula.protocol.money import parse_tokens, wei_to_wire
from nebula.protocol.study import PartKind, ResultClass
from nebula.protocol.wire import Document
from nebula.protocol.written import parse_written
from nebula.vault.files import open_file

_MOST_BYTES = 1 << 20
_EMPTY = ("any", "none")
T = TypeVar("T", Permission, Modifier)
_Names = tuple[Annotated[str, msgspec.Meta(max_length=100)], ...]


class PolicyChange(Document, frozen=True, kw_only=True):
    """What is to be different. The price floor is in tokens; the consent ends with the day ``expires``."""

    permission: str | None = None
    conditions: _Names | None = None
    diseases: _Names | None = None
    commercial_use: bool | None = None
    ai_training: bool | None = None
    countries: _Names | None = None
    parts: tuple[PartKind, ...] | None = None
    buyers_allowed: _Names | None = None
    buyers_denied: _Names | None = None
    ask: bool | None = None
    price_floor: str | None = None
    result_classes: tuple[ResultClass, ...] | None = None
    discoverable: bool | None = None
    expires: date | None = None


def read_change(file: Path) -> PolicyChange:
    """Read a change from a TOML or JSON file.

    Raises:
        RejectedInputError: ``consent.file``; it is neither, or a field is unknown or of the wrong kind.
    """
    with open_file(file) as opened:
        return parse_written(
            opened.read(_MOST_BYTES + 1), file.name, PolicyChange, code="consent.file", most_bytes=_MOST_BYTES
        )


def change(policy: ConsentPolicy, wanted: PolicyChange) -> ConsentPolicy:
    """Return the policy with what is named changed.

    Raises:
        RejectedInputError: ``consent.value``; a value means nothing, and the sentence says which.
    """
    fields: dict[str, Any] = {
        "permission": None if wanted.permission is None else _term(Permission, wanted.permission),
        "modifiers": _mapped(wanted.conditions, lambda name: _term(Modifier, name)),
        "diseases": _mapped(wanted.diseases, _disease),
        "commercial_use": wanted.commercial_use,
        "ai_training": wanted.ai_training,
        "jurisdictions": _mapped(wanted.countries, _country),
        "parts": wanted.parts,
        "buyers_allowed": _mapped(wanted.buyers_allowed, parse_address),
        "buyers_denied": _mapped(wanted.buyers_denied, parse_address),
        "mode": None if wanted.ask is None else (Mode.ASK if wanted.ask else Mode.STANDING),
        "price_floor_wei": None if wanted.price_floor is None else wei_to_wire(parse_tokens(wanted.price_floor)),
        "result_classes": wanted.result_classes,
        "discoverable": wanted.discoverable,
        "expires": None if wanted.expires is None else _end_of(wanted.expires),
    }
    changed = msgspec.structs.asdict(policy) | {name: value for name, value in fields.items() if value is not None}
    try:
        checked: ConsentPolicy = msgspec.convert(msgspec.to_builtins(changed), ConsentPolicy)
    except msgspec.ValidationError as error:
        raise RejectedInputError("consent.value", f"this is no consent: {error}") from error
    if checked.permission is Permission.DS and not checked.diseases:
        raise RejectedInputError(
            "consent.diseases",
            "consent for named diseases names none, so no study could ever use the record",
            hint="name them: --disease MONDO:0005148",
        )
    return checked


def _mapped(names: Sequence[str] | None, read: Any) -> tuple[Any, ...] | None:
    if names is None:
        return None
    return () if any(name.lower() in _EMPTY for name in names) else tuple(dict.fromkeys(map(read, names)))


def _term(kind: type[T], name: str) -> T:
    for term in kind:
        if name.upper() in (term.name, term.value):
            return term
    known = "; ".join(f"{term.name} ({LABELS[term]})" for term in kind)
    raise RejectedInputError("consent.value", f"{name!r} is no such term", hint=f"the terms are: {known}")


def _disease(name: str) -> str:
    if not re.fullmatch(r"MONDO:[0-9]{7}", name.upper()):
        raise RejectedInputError(
            "consent.value", f"{name!r} is no disease", hint="a disease is named as MONDO does: MONDO:0005148"
        )
    return name.upper()


def _country(name: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", name.upper()):
        raise RejectedInputError("consent.value", f"{name!r} is no country", hint="it has two letters: CH, DE")
    return name.upper()


def _end_of(day: date) -> int:
    return int(datetime.combine(day, time(23, 59, 59), UTC).timestamp())
