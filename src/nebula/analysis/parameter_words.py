"""What to do about a parameter that an analysis does not take: the form wanted, or which analyses have it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Mapping


def hint_for(complaint: str, analysis: str, offered: Mapping[str, type[msgspec.Struct]]) -> str | None:
    """Return what to do, where more can be said than the complaint does.

    Args:
        complaint: of msgspec's validation.
        analysis: that the parameters were given for.
        offered: the parameters of every analysis.
    """
    if unknown := re.search(r"unknown field `(\w+)`", complaint):
        return _whose(unknown[1], analysis, offered)
    named = re.search(r"matching regex .* - at `\$\.(\w+)", complaint)
    return None if named is None else _form(offered[analysis], named[1])


def _whose(name: str, analysis: str, offered: Mapping[str, type[msgspec.Struct]]) -> str:
    others = [other for other, kind in offered.items() if name in kind.__struct_fields__]
    if others:
        return f"{name} is a parameter of {', '.join(others)}"
    return f"the parameters of {analysis} are {', '.join(offered[analysis].__struct_fields__) or 'none'}"


def _form(kind: type[msgspec.Struct], name: str) -> str | None:
    """How a parameter is written, which its type says."""
    (found,) = (inspect.type_info(field.type) for field in msgspec.structs.fields(kind) if field.name == name)
    one = found.item_type if isinstance(found, inspect.VarTupleType) else found
    said = one.extra_json_schema if isinstance(one, inspect.Metadata) else None
    return None if said is None else f"{name} is written {said['description']}, such as {said['examples'][0]}"
