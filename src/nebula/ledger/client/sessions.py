"""Enclave sessions that the keepers vouch for: reads, calls and events."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from nebula.ledger.client.calls import Contract, ContractCall
from nebula.ledger.client.events import Event, EventDecoder
from nebula.ledger.client.requests import At
from nebula.protocol.ids import Address, Hash32, to_bytes
from nebula.protocol.typed_data import Domain, SessionVote


class Approval(IntEnum):
    """What the governor said about a measurement under a trust root."""

    NONE = 0
    GENUINE = 1
    SIMULATED = 2


@dataclass(frozen=True, slots=True)
class MeasurementApproved(Event):
    """Sessions of this code may be registered."""

    contract: ClassVar[str] = "sessions"
    measurement: Hash32
    trust_root: Hash32
    simulated: bool


@dataclass(frozen=True, slots=True)
class MeasurementRevoked(Event):
    """Sessions of this code count no more."""

    contract: ClassVar[str] = "sessions"
    measurement: Hash32
    trust_root: Hash32


@dataclass(frozen=True, slots=True)
class SessionRegistered(Event):
    """Enough keepers vouched for a session."""

    contract: ClassVar[str] = "sessions"
    session: Address
    study: Hash32
    run: Hash32
    measurement: Hash32
    trust_root: Hash32
    evidence: Hash32


EVENTS = EventDecoder("sessions", (MeasurementApproved, MeasurementRevoked, SessionRegistered))


class Sessions(Contract):
    """Which measurements are approved, and which sessions enough keepers voted for."""

    name = "sessions"

    def domain(self, chain_id: int) -> Domain:
        """Return what keepers' votes are bound to."""
        return Domain(chain_id, self.address)

    def threshold(self, at: At = None) -> int:
        """Return how many votes register a session."""
        return int(self._read("threshold", at=at))

    def approval(self, measurement: Hash32, trust_root: Hash32, at: At = None) -> Approval:
        """Return whether a measurement is approved, and as what."""
        return Approval(self._read("approval", to_bytes(measurement), to_bytes(trust_root), at=at))

    def is_registered(self, session: Address, at: At = None) -> bool:
        """Whether keepers vouched for a session, for whatever study."""
        return bool(self._read("is_registered", session, at=at))

    def vouches_for(self, vote: SessionVote, *, simulated: bool, at: At = None) -> bool:
        """Whether the session was registered for exactly this, and its measurement is still approved as claimed."""
        purpose = (vote.study, vote.run, vote.measurement, vote.trust_root)
        return bool(self._read("vouches_for", vote.session, *map(to_bytes, purpose), simulated, at=at))

    def approve_measurement(self, measurement: Hash32, trust_root: Hash32, *, simulated: bool) -> ContractCall:
        """The governor approves code under a trust root."""
        return self._call("approve_measurement", to_bytes(measurement), to_bytes(trust_root), simulated, gas=100_000)

    def revoke_measurement(self, measurement: Hash32, trust_root: Hash32) -> ContractCall:
        """The governor takes an approval back."""
        return self._call("revoke_measurement", to_bytes(measurement), to_bytes(trust_root), gas=80_000)

    def register_session(self, vote: SessionVote, votes: Sequence[tuple[Address, bytes]]) -> ContractCall:
        """Enter a session by its keepers' votes, given as (keeper, signature) in any order."""
        ordered = [signature for _, signature in sorted(votes)]
        purpose = (vote.study, vote.run, vote.measurement, vote.trust_root, vote.evidence)
        gas = 140_000 + 30_000 * len(ordered)
        return self._call("register_session", vote.session, *map(to_bytes, purpose), ordered, gas=gas)
