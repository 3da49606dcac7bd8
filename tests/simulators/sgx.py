"""Simulated SGX hardware for tests: in memory, at one moment, misbehaving on demand."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from nebula.attestation.appraisal import AppraisalPolicy
from nebula.attestation.claims import VerifiedClaims
from nebula.attestation.collateral import Collateral
from nebula.attestation.simulator.collateral import GOOD_DAY, CollateralFaults, issue_collateral
from nebula.attestation.simulator.cpu import EnclaveShape, SimulatedCpu
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.attestation.verify import verify_quote
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Hash32

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
MEASUREMENT = "0x" + "5e" * 32
REPORT_DATA = bytes(range(64))
PLAIN = EnclaveShape()


def development_policy(trust_root: Hash32, measurements: frozenset[Hash32]) -> AppraisalPolicy:
    """Return a policy for one simulated trust root. What it lets through is marked as simulated."""
    return AppraisalPolicy(trust_roots=frozenset({trust_root}), measurements=measurements, production=False)


@dataclass(frozen=True)
class Genuine:
    """A quote of Intel's real hardware, with the collateral of that time."""

    quote: bytes
    collateral: Collateral
    at: datetime = datetime(2025, 6, 25, tzinfo=UTC)


@dataclass
class SgxHardware:
    """One simulated platform and what its makers say about it."""

    pki: DevelopmentPki
    measurement: str = MEASUREMENT
    shape: EnclaveShape = PLAIN
    faults: CollateralFaults = GOOD_DAY
    at: datetime = NOW

    def quote(self, report_data: bytes = REPORT_DATA) -> bytes:
        return SimulatedCpu(self.pki, lambda: self.measurement, self.shape).quote(report_data)

    def collateral(self) -> Collateral:
        return issue_collateral(self.pki, at=self.at, faults=self.faults)

    def claims(self, raw_quote: bytes | None = None) -> VerifiedClaims:
        return verify_quote(raw_quote or self.quote(), self.collateral(), self.pki.trust_root, at=self.at)

    def policy(self) -> AppraisalPolicy:
        return development_policy(self.pki.trust_root.fingerprint, frozenset({self.measurement}))

    def but(self, **changes: object) -> "SgxHardware":
        return replace(self, **changes)


@dataclass
class CollateralDouble:
    """A source of collateral that can be away."""

    hardware: SgxHardware
    away: bool = False
    asked: list[datetime] = field(default_factory=list)

    def collateral_for(self, _raw_quote: bytes, *, at: datetime) -> Collateral:
        if self.away:
            raise UnavailableError("collateral.away", "the collateral service is away")
        self.asked.append(at)
        return issue_collateral(self.hardware.pki, at=at, faults=self.hardware.faults)
