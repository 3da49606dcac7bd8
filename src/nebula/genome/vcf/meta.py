"""Lines that begin with ``##``: keys with a plain value, or with ``<key=value,…>``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nebula.genome.vcf.reserved import ANY_NUMBER, FLAG_NUMBER, reserved_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINE = re.compile(r"##([^=\s]+)=(.*\S.*)")
# A value is quoted, a bracketed list (##META), or free of commas and angle brackets.
_PAIR = re.compile(r'([^=,<>"\s]+)=(?:"((?:[^"\\]|\\.)*)"|(\[[^\]]*\])|([^,<>"][^,<>]*|))(?:,|$)')
_TYPES = {
    "INFO": ("Integer", "Float", "Flag", "Character", "String"),
    "FORMAT": ("Integer", "Float", "Character", "String"),
    "ALT": ("Integer", "Float", "Flag", "Character", "String"),
}
_NUMBER = re.compile(r"\d+|[ARG.]")
# By the version that brought them, of FORMAT alone.
_SAMPLE_NUMBERS = {4: re.compile(r"P"), 5: re.compile(r"M|L[ARG]")}
_KEYS = {
    "INFO": re.compile(r"[A-Za-z_][0-9A-Za-z_.]*|1000G"),
    "FORMAT": re.compile(r"[A-Za-z_][0-9A-Za-z_.]*"),
}
# Percent-encoding is met in 4.4.
_ENCODED_KEY = re.compile(r"[A-Za-z_][0-9A-Za-z_.%]*")
_HAS_ID = re.compile(r"[<,]ID=")
_ALTERNATE = re.compile(r'(?:(?:DEL|INS|DUP|INV|CNV)(?::[^\s,<>"]+)*|NON_REF|\*|X|CN\d+|BND|TRA|CGA_\w+)')
_URL = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^@/\s]+@)?(?!\d+(?:[:/]|$))[A-Za-z0-9.-]*(?::\d+)?(?:/\S*)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9_.\-]+")
# The asterisk is for the HLA contigs of GRCh38 alone.
_CONTIG = re.compile(r"(?:HLA-[\w*:.\-]+|[\w!#$%&+./:;?@^|~\-][\w!#$%&+./:;=?@^|~\-]*)", re.ASCII)
_STRUCTURAL = ("DEL", "INS", "DUP", "INV", "CNV")
_META_TYPES = ("Integer", "Float", "Character", "String")
_VERSION_OF_FREE_NAMES = 3
_VERSION_OF_SUBTYPES = 4
_VERSION_OF_ENCODED_KEYS = 4
_VERSION_OF_ANY_ORDER = 5


class MetaError(ValueError):
    """A meta line breaks a rule; the text says which."""


@dataclass(frozen=True, slots=True)
class Meta:
    """One meta line.

    Attributes:
        key: what stands before the first equals sign.
        text: everything behind it.
        fields: the pairs between angle brackets, in their order; empty for plain values.
        quoted: names of the fields that were quoted.
    """

    key: str
    text: str
    fields: dict[str, str]
    quoted: frozenset[str]


def parse_meta(line: str, *, minor: int) -> Meta:
    """Parse and check one meta line of VCF 4.``minor``.

    Raises:
        MetaError: the line breaks a rule.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise MetaError("not of the form ##key=value")
    key, text = match[1], match[2]
    if text.startswith("<") and not text.endswith(">"):
        raise MetaError("the angle bracket is not closed")
    # A quoted text in brackets is no structure.
    structure = text.startswith("<") and not text.startswith('<"')
    if minor >= _VERSION_OF_FREE_NAMES and structure and key not in _URLS and not _HAS_ID.search(text):
        raise MetaError(f"{key} needs <ID=…>")
    check = _CHECKS.get(key) if key != "META" or minor >= _VERSION_OF_FREE_NAMES else None
    structured = text.startswith("<") and check is not None and key not in _URLS
    meta = Meta(key, text, *(_pairs(text[1:-1]) if structured else ({}, frozenset())))
    if check is not None:
        if not structured and key not in _URLS and key != "PEDIGREE":
            raise MetaError(f"{key} needs <ID=…>")
        check(meta, minor)
    return meta


def _pairs(text: str) -> tuple[dict[str, str], frozenset[str]]:
    fields: dict[str, str] = {}
    quoted = set()
    place = 0
    while place < len(text):
        match = _PAIR.match(text, place)
        if match is None:
            raise MetaError("between the brackets belong key=value pairs, with quotes where there are commas")
        name = match[1]
        if name in fields:
            raise MetaError(f"{name} stands twice")
        value = next(part for part in match.groups()[1:] if part is not None)
        if match[2] is not None:
            quoted.add(name)
        fields[name] = value
        place = match.end()
    if text.endswith(","):
        raise MetaError("there is a comma behind the last pair")
    return fields, frozenset(quoted)


def _check_definition(meta: Meta, minor: int) -> None:
    order = ["ID", "Number", "Type", "Description"]
    _check_order(meta, order, minor)
    number, kind = meta.fields["Number"], meta.fields["Type"]
    of_samples = [form for since, form in _SAMPLE_NUMBERS.items() if since <= minor and meta.key == "FORMAT"]
    if not any(form.fullmatch(number) for form in of_samples):
        _check_number(number)
    if kind not in _TYPES[meta.key]:
        raise MetaError(f"the Type is one of {', '.join(_TYPES[meta.key])}, not {kind!r}")
    _check_description(meta)
    if minor >= _VERSION_OF_FREE_NAMES:
        _check_modern_definition(meta, minor)
    reserved = reserved_keys(meta.key, minor).get(meta.fields["ID"])
    if reserved is None:
        return
    numbers = (reserved.number, *reserved.other_numbers)
    if (number not in numbers and reserved.other_numbers != ANY_NUMBER) or kind not in reserved.kinds:
        expected = f"Number={reserved.number} and Type={reserved.kinds[0]}"
        raise MetaError(f"{meta.fields['ID']} is reserved by the specification and has {expected}")


def _check_modern_definition(meta: Meta, minor: int) -> None:
    """What 4.3 and later ask of INFO and FORMAT."""
    form = _ENCODED_KEY if meta.key == "FORMAT" and minor >= _VERSION_OF_ENCODED_KEYS else _KEYS[meta.key]
    if not form.fullmatch(meta.fields["ID"]):
        raise MetaError("the ID begins with a letter or '_'; letters, digits, '_' and '.' follow")
    if meta.fields["Number"] == FLAG_NUMBER and meta.fields["Type"] != "Flag":
        raise MetaError("only a Flag has Number=0")
    if meta.fields["Number"] == "M" and meta.fields["ID"][-1] not in "ACGTUN":
        raise MetaError("with Number=M, the ID ends with the base that is modified")
    if meta.key == "INFO" and {"Source", "Version"} & meta.fields.keys() - meta.quoted:
        raise MetaError("Source and Version belong between double quotes")


def _check_number(number: str) -> None:
    if not _NUMBER.fullmatch(number):
        raise MetaError(f"the Number is a count, A, R, G or '.', not {number!r}")


def _check_order(meta: Meta, order: list[str], minor: int) -> None:
    missing = [name for name in order if name not in meta.fields]
    if missing:
        raise MetaError(f"{missing[0]} is missing")
    if minor < _VERSION_OF_ANY_ORDER and list(meta.fields)[: len(order)] != order:
        raise MetaError(f"the order is {', '.join(order)}")
    _check_id(meta)


def _check_id(meta: Meta) -> None:
    identifier = meta.fields.get("ID", "")
    if not identifier or re.search(r"\s", identifier):
        raise MetaError("the ID is missing, empty or has whitespace")


def _check_description(meta: Meta) -> None:
    if "Description" not in meta.quoted:
        raise MetaError("the Description belongs between double quotes")


def _check_alternate(meta: Meta, minor: int) -> None:
    optional = [name for name in ("Number", "Type") if name in meta.fields]
    _check_described(meta, minor, optional)
    if "Number" in meta.fields:
        _check_number(meta.fields["Number"])
    if meta.fields.get("Type", "String") not in _TYPES["ALT"]:
        raise MetaError(f"{meta.fields['Type']!r} is no Type")
    kind, *subtypes = meta.fields["ID"].split(":")
    if minor < _VERSION_OF_FREE_NAMES:
        known = _ALTERNATE.fullmatch(meta.fields["ID"]) is not None
    else:
        breakend = kind == "BND" and minor < _VERSION_OF_SUBTYPES
        known = not subtypes or kind in _STRUCTURAL or breakend
    if not known:
        kinds = "DEL, INS, DUP, INV or CNV (in 4.3 also BND)"
        raise MetaError(f"the ID begins with {kinds}, and parts between colons may follow")


def _check_filter(meta: Meta, minor: int) -> None:
    _check_described(meta, minor, [])
    if meta.fields["ID"] == "0" or ";" in meta.fields["ID"]:
        raise MetaError("the ID of a filter is not 0, and has no semicolon")


def _check_described(meta: Meta, minor: int, optional: Sequence[str]) -> None:
    """The ID first, then the Description, which 4.4 and later can do without."""
    described = minor < _VERSION_OF_SUBTYPES or "Description" in meta.fields
    _check_order(meta, ["ID", *optional, *(["Description"] if described else [])], minor)
    if described:
        _check_description(meta)


def _check_contig(meta: Meta, minor: int) -> None:
    _check_id(meta)
    if minor >= _VERSION_OF_FREE_NAMES and not _CONTIG.fullmatch(meta.fields["ID"]):
        raise MetaError("the ID is no name of a contig")
    length = meta.fields.get("length")
    if length is not None and not re.fullmatch(r"\d{1,12}", length):
        raise MetaError(f"{length!r} is no length")


def _check_sample(meta: Meta, minor: int) -> None:
    _check_id(meta)
    if minor >= _VERSION_OF_FREE_NAMES:
        return
    if ("Genomes" in meta.fields) != ("Mixture" in meta.fields):
        raise MetaError("Genomes and Mixture belong together")
    if meta.quoted - {"Description"}:
        raise MetaError("only the Description stands between quotes")


def _check_values(meta: Meta, _minor: int) -> None:
    """META, from 4.3 on: what a field of SAMPLE may hold."""
    _check_id(meta)
    if not _NAME.fullmatch(meta.fields["ID"]):
        raise MetaError("the ID has letters, digits, '_', '.' and '-' only")
    _check_number(meta.fields.get("Number", "."))
    if meta.fields.get("Type", "String") not in _META_TYPES:
        raise MetaError(f"the Type is one of {', '.join(_META_TYPES)}, not {meta.fields['Type']!r}")
    values = meta.fields.get("Values", "[]")
    if "Values" in meta.quoted or not (values.startswith("[") and values.endswith("]")):
        raise MetaError("the Values are a list between square brackets")


def _check_pedigree(meta: Meta, minor: int) -> None:
    if minor >= _VERSION_OF_FREE_NAMES:
        _check_id(meta)
    if not meta.fields or not all(_NAME.fullmatch(value) for value in meta.fields.values()):
        raise MetaError("genomes are named by letters, digits, '_', '.' and '-' between angle brackets")


def _check_url(meta: Meta, _minor: int) -> None:
    text = meta.text.removeprefix("<").removesuffix(">")
    if not text or ("://" in text and not _URL.fullmatch(text)) or (meta.key == "pedigreeDB" and "://" not in text):
        raise MetaError("the value is an address such as https://host/path")


_URLS = ("assembly", "pedigreeDB")
_CHECKS = {
    "ALT": _check_alternate,
    "FILTER": _check_filter,
    "FORMAT": _check_definition,
    "INFO": _check_definition,
    "META": _check_values,
    "PEDIGREE": _check_pedigree,
    "SAMPLE": _check_sample,
    "assembly": _check_url,
    "contig": _check_contig,
    "pedigreeDB": _check_url,
}
