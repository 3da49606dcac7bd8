"""How a keeper is run: one JSON file, and two key files beside it that only the keeper may read."""

from pathlib import Path
from typing import Annotated

import msgspec

from nebula.attestation.appraisal import AppraisalPolicy
from nebula.attestation.claims import TcbStatus
from nebula.attestation.roots import TrustRoot
from nebula.ledger.client import NetworkAddresses
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.wire import Document, parser


class KeeperSettings(Document, frozen=True, kw_only=True):
    """A keeper's place in its network. File names are relative to the folder of the settings file.

    Attributes:
        ledger_url: this keeper's own node; it believes no other party about the ledger.
        hub: the only party that may ask which records match a study.
        signing_key_file: secp256k1 key, 64 hex digits; its address is the keeper's on the ledger.
        sealing_key_file: X25519 key, 64 hex digits; owners seal their shares to it.
        collateral_url: Intel's PCS, or a caching service that this keeper trusts.
        trust_root_files: certificates (DER) of further trust roots; Intel's is always known.
        production: refuse simulated hardware, whatever else is set.
        confirmations: how many blocks must stand above a fact before it opens anything. What forbids counts at once.
        max_block_age_seconds: refuse to release while the newest block is older; for chains that tick by themselves.
        diseases_file: lines ``MONDO:child<TAB>MONDO:parent``; without it a disease is a kind of itself only.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)]
    ledger_url: str
    network: NetworkAddresses
    hub: Address
    database_url: str
    signing_key_file: str
    sealing_key_file: str
    collateral_url: str
    root_crl_url: str | None = None
    trust_root_files: tuple[str, ...] = ()
    production: bool = True
    measurements: tuple[Hash32, ...]
    tcb_statuses: tuple[TcbStatus, ...] = (TcbStatus.UP_TO_DATE,)
    advisories: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    min_tcb_evaluation_number: int = 17
    confirmations: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    max_block_age_seconds: Annotated[int, msgspec.Meta(ge=1)] | None = None
    diseases_file: str | None = None
    forget_seconds: Annotated[int, msgspec.Meta(ge=1)] = 60


parse_settings = parser(KeeperSettings)


def trust_roots(settings: KeeperSettings, folder: Path) -> tuple[TrustRoot, ...]:
    """Return the roots that this keeper knows; the policy says which it believes."""
    files = (read_file(folder / name) for name in settings.trust_root_files)
    return (TrustRoot.intel(), *(TrustRoot(content) for content in files))


def appraisal_policy(settings: KeeperSettings, roots: tuple[TrustRoot, ...]) -> AppraisalPolicy:
    """Return what this keeper accepts of an enclave."""
    return AppraisalPolicy(
        trust_roots=frozenset(root.fingerprint for root in roots),
        measurements=frozenset(settings.measurements),
        tcb_statuses=frozenset(settings.tcb_statuses),
        advisories=frozenset(settings.advisories),
        min_tcb_evaluation_number=settings.min_tcb_evaluation_number,
        platforms=frozenset(settings.platforms),
        production=settings.production,
    )


def read_file(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        UnavailableError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError("settings.file", f"{path} cannot be read: {error.strerror}") from error
