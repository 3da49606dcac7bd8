"""What a buyer types about whom to count, and what they are told."""

import re
from typing import Any

import msgspec
from rich.markup import escape

from nebula.buyer.discover import Told
from nebula.protocol.beacon import Filter, Granularity, VariantParameters
from nebula.protocol.errors import RejectedInputError

# "!=" and "==" are no comparisons here, and must not be read as a name or a category with a sign in it.
_CONDITION = re.compile(r"\s*(?P<id>[^<>=]*[^<>=!\s])\s*(?P<operator>>=|<=|=)\s*(?P<value>[^<>=\s].*?)\s*")
_NUMBER = re.compile(r"(?P<number>[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?)(\s+(?P<unit>\S.*))?")
_POSITION = re.compile(r"[0-9]{1,10}")
_PARTS_OF_A_VARIANT = 4


def parse_variant(text: str, *, assembly: str) -> VariantParameters:
    """Parse ``22-16050075-A-G``, 1-based.

    Raises:
        RejectedInputError: ``discovery.variant``.
    """
    parts = text.strip().split("-")
    if len(parts) != _PARTS_OF_A_VARIANT or not _POSITION.fullmatch(parts[1]):
        raise _no_variant(text, "four parts with hyphens between them")
    chromosome, position, reference, alternate = parts
    raw = {
        "assemblyId": assembly,
        "referenceName": chromosome,
        "start": [int(position) - 1],
        "referenceBases": reference.upper(),
        "alternateBases": alternate.upper(),
    }
    try:
        return msgspec.convert(raw, VariantParameters)
    except msgspec.ValidationError as error:
        raise _no_variant(text, str(error)) from error


def parse_filter(text: str) -> Filter:
    """Parse ``height >= 170``, ``age <= 60 years`` or ``sex = female``.

    Raises:
        RejectedInputError: ``discovery.condition``.
    """
    if not text.strip().isprintable():
        raise _no_condition(text, "there are characters in it that are no text")
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise _no_condition(text, "no comparison in it")
    number = _NUMBER.fullmatch(found["value"])
    raw: dict[str, Any] = {"id": found["id"], "operator": found["operator"]}
    raw |= {"value": found["value"]} if number is None else {"value": float(number["number"]), "unit": number["unit"]}
    try:
        return msgspec.convert(raw, Filter)
    except msgspec.ValidationError as error:
        raise _no_condition(text, str(error)) from error


def told_in_words(told: Told) -> list[str]:
    """Return what was told, a sentence a line."""
    response = told.response
    asked_count = response.meta.returned_granularity is Granularity.COUNT
    info = response.info
    if not response.response_summary.exists:
        lines = [f"[bold]fewer than {info.least_told}[/bold] people, perhaps none: such numbers are not told"]
        if names := ", ".join(dict.fromkeys(one.id for one in response.meta.received_request_summary.filters)):
            lines.append(escape(f"  a column that no record has fits nobody, and is not told apart: check {names}"))
    elif asked_count:
        lines = [f"about [bold]{told.count:,}[/bold] people"]
    else:
        lines = [f"[bold]yes[/bold]: {info.least_told} people or more"]
    lines.append(
        f"  give or take {2 * info.noise_standard_deviation:.0f}, in 19 answers of 20: the noise protects each"
    )
    lines.append(f"  counted are those whose consent allows it as of block {told.block_number:,}")
    if info.simulated:
        lines.append("[bold]SIMULATED hardware: it protected nothing.[/bold]")
    return lines


def _no_variant(text: str, why: str) -> RejectedInputError:
    return RejectedInputError(
        "discovery.variant", f"{text!r} is no variant: {why}", hint="CHROMOSOME-POSITION-REF-ALT, as in 22-16050075-A-G"
    )


def _no_condition(text: str, why: str) -> RejectedInputError:
    return RejectedInputError(
        "discovery.condition", f"{text!r} is no condition: {why}", hint='such as "height >= 170" or "sex = female"'
    )
