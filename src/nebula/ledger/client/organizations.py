"""The verified organizations: reads, calls and events."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import ClassVar

from nebula.ledger.client.calls import Contract, ContractCall
from nebula.ledger.client.events import Event, EventDecoder
from nebula.ledger.client.requests import At
from nebula.protocol.ids import Address


class Role(IntFlag):
    """What an organization was verified as; they add up."""

    BUYER = 1
    LAB = 2
    OPERATOR = 4
    KEEPER = 8
    DESK = 16
    ACCREDITED = 32
    NON_PROFIT = 64


@dataclass(frozen=True, slots=True)
class Registered(Event):
    """An organization was entered, or entered again under a new name."""

    contract: ClassVar[str] = "organizations"
    organization: Address
    roles: int
    standing_until: int
    name: str


@dataclass(frozen=True, slots=True)
class Renewed(Event):
    """Roles or their end were changed."""

    contract: ClassVar[str] = "organizations"
    organization: Address
    roles: int
    standing_until: int


@dataclass(frozen=True, slots=True)
class Suspended(Event):
    """An organization lost its standing."""

    contract: ClassVar[str] = "organizations"
    organization: Address


@dataclass(frozen=True, slots=True)
class Reinstated(Event):
    """A suspension ended."""

    contract: ClassVar[str] = "organizations"
    organization: Address


@dataclass(frozen=True, slots=True)
class Seated(Event):
    """An organization's country was entered: two letters of ISO 3166."""

    contract: ClassVar[str] = "organizations"
    organization: Address
    country: str


EVENTS = EventDecoder("organizations", (Registered, Renewed, Suspended, Reinstated, Seated))


class Organizations(Contract):
    """Who is verified, for what, until when."""

    name = "organizations"

    def in_good_standing(self, organization: Address, role: Role, at: At = None) -> bool:
        """Whether an organization has all of the roles, unexpired and not suspended, by the block's time."""
        return bool(self._read("in_good_standing", organization, int(role), at=at))

    def all_in_good_standing(self, organizations: Sequence[Address], role: Role, at: At = None) -> list[bool]:
        """The same of many, about one block."""
        asked = [(organization, int(role)) for organization in organizations]
        return [bool(value) for value in self._read_many("in_good_standing", asked, at)]

    def roles_of(self, organization: Address, at: At = None) -> Role:
        """Return the roles that were given, whether or not standing has ended."""
        return Role(self._read("roles_of", organization, at=at))

    def standing_until(self, organization: Address, at: At = None) -> int:
        """Return the Unix time at which standing ends; zero for a stranger."""
        return int(self._read("standing_until", organization, at=at))

    def is_suspended(self, organization: Address, at: At = None) -> bool:
        """Whether an organization is suspended."""
        return bool(self._read("is_suspended", organization, at=at))

    def country_of(self, organization: Address, at: At = None) -> str | None:
        """Return the country (ISO 3166, two letters) under whose law an organization stands; None if not entered."""
        letters = bytes(self._read("country_of", organization, at=at))
        return letters.decode("ascii") if any(letters) else None

    def governor(self, at: At = None) -> Address:
        """Return who may register organizations."""
        return str(self._read("governor", at=at))

    def register(self, organization: Address, roles: Role, *, standing_until: int, legal_name: str) -> ContractCall:
        """The governor enters an organization."""
        return self._call("register", organization, int(roles), standing_until, legal_name, gas=150_000)

    def renew(self, organization: Address, roles: Role, *, standing_until: int) -> ContractCall:
        """The governor changes roles or their end."""
        return self._call("renew", organization, int(roles), standing_until, gas=90_000)

    def seat(self, organization: Address, country: str) -> ContractCall:
        """The governor enters an organization's country."""
        return self._call("seat", organization, country.encode("ascii"), gas=80_000)

    def suspend(self, organization: Address) -> ContractCall:
        """The governor takes standing away, at once."""
        return self._call("suspend", organization, gas=80_000)

    def reinstate(self, organization: Address) -> ContractCall:
        """The governor ends a suspension."""
        return self._call("reinstate", organization, gas=80_000)
