"""Collateral: what must be known besides a quote to judge it, and where a keeper gets it from.

A keeper fetches collateral itself, from Intel or from a caching service (PCCS) that it chose. It never takes any
from the party that shows the quote: old collateral would hide that a platform was revoked since.
"""

import threading
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol

import dcap_qvl  # type: ignore[import-untyped]  # it ships no py.typed
import httpx2
import msgspec

from nebula.attestation.errors import QuoteRejectedError
from nebula.protocol.errors import UnavailableError
from nebula.protocol.wire import Document, parser, to_canonical

INTEL_PCS_URL = "https://api.trustedservices.intel.com"
INTEL_ROOT_CRL_URL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
MAX_AGE = timedelta(hours=1)
MAX_ANSWER_BYTES = 1024 * 1024
_TIMEOUT = httpx2.Timeout(20.0, connect=5.0)

_Pem = Annotated[str, msgspec.Meta(max_length=16_384)]
_Hex = Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{2})+\Z", max_length=2 * MAX_ANSWER_BYTES)]
_HexSignature = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{128}\Z")]
_Json = Annotated[str, msgspec.Meta(max_length=MAX_ANSWER_BYTES)]


class Collateral(Document, frozen=True, kw_only=True):
    """Everything that a quote is verified with, byte for byte as it was signed; the field names are dcap-qvl's.

    The PCK certificate chain is not here: it is taken from the quote, and nowhere else.
    """

    pck_crl_issuer_chain: _Pem
    root_ca_crl: _Hex
    pck_crl: _Hex
    tcb_info_issuer_chain: _Pem
    tcb_info: _Json
    tcb_info_signature: _HexSignature
    qe_identity_issuer_chain: _Pem
    qe_identity: _Json
    qe_identity_signature: _HexSignature

    @property
    def root_crl_der(self) -> bytes:
        """The trust root's revocation list."""
        return bytes.fromhex(self.root_ca_crl)

    @property
    def pck_crl_der(self) -> bytes:
        """The PCK authority's revocation list."""
        return bytes.fromhex(self.pck_crl)

    @property
    def tcb_info_signature_bytes(self) -> bytes:
        """The signature over the bytes of ``tcb_info``: r ‖ s."""
        return bytes.fromhex(self.tcb_info_signature)

    @property
    def qe_identity_signature_bytes(self) -> bytes:
        """The signature over the bytes of ``qe_identity``: r ‖ s."""
        return bytes.fromhex(self.qe_identity_signature)

    def to_bytes(self) -> bytes:
        """Return the form in which collateral travels with a run."""
        return to_canonical(self)


parse_collateral = parser(Collateral, max_bytes=4 * MAX_ANSWER_BYTES)


class CollateralSource(Protocol):
    """Where collateral comes from."""

    def collateral_for(self, raw_quote: bytes, *, at: datetime) -> Collateral:
        """Return collateral for the platform that a quote claims to come from.

        Raises:
            QuoteRejectedError: the quote does not say which platform.
            UnavailableError: it cannot be had now.
        """
        ...


class _SignedTcbInfo(msgspec.Struct):
    body: msgspec.Raw = msgspec.field(name="tcbInfo")
    signature: str


class _SignedQeIdentity(msgspec.Struct):
    body: msgspec.Raw = msgspec.field(name="enclaveIdentity")
    signature: str


class PccsCollateralSource:
    """Fetches from Intel's PCS or any PCCS (API version 4), and keeps answers for at most an hour.

    When the service is away, kept collateral serves on; whether it is still in date is the verifier's business.
    """

    def __init__(
        self,
        url: str,
        *,
        root_crl_url: str | None = None,
        client: httpx2.Client | None = None,
        max_age: timedelta = MAX_AGE,
    ) -> None:
        """Take the service's base URL; Intel's own serves the root's revocation list from elsewhere."""
        self._base = url.rstrip("/")
        is_intel = self._base == INTEL_PCS_URL
        self._root_crl_url = root_crl_url or (
            INTEL_ROOT_CRL_URL if is_intel else f"{self._base}/sgx/certification/v4/rootcacrl"
        )
        self._client = client or httpx2.Client(timeout=_TIMEOUT, trust_env=False)
        self._max_age = max_age
        self._kept: dict[tuple[str, str, str], tuple[datetime, Collateral]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def collateral_for(self, raw_quote: bytes, *, at: datetime) -> Collateral:
        """Return collateral for the platform that a quote claims to come from, at most ``max_age`` old."""
        key = _claimed_platform(raw_quote)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and timedelta(0) <= at - kept[0] < self._max_age:
                return kept[1]
            try:
                collateral = self._fetch(*key)
            except UnavailableError:
                if kept is None:
                    raise
                return kept[1]
            self._kept[key] = (at.astimezone(UTC), collateral)
            return collateral

    def _fetch(self, tee: str, fmspc: str, authority: str) -> Collateral:
        service = f"{self._base}/{tee}/certification/v4"
        crl, crl_chain = self._get(
            f"{self._base}/sgx/certification/v4/pckcrl?ca={authority}&encoding=der", "SGX-PCK-CRL-Issuer-Chain"
        )
        tcb, tcb_chain = self._get(f"{service}/tcb?fmspc={fmspc}&update=standard", "TCB-Info-Issuer-Chain")
        identity, identity_chain = self._get(
            f"{service}/qe/identity?update=standard", "SGX-Enclave-Identity-Issuer-Chain"
        )
        root_crl, _ = self._get(self._root_crl_url, None)
        try:
            signed_tcb = msgspec.json.decode(tcb, type=_SignedTcbInfo)
            signed_identity = msgspec.json.decode(identity, type=_SignedQeIdentity)
            collateral = Collateral(
                pck_crl_issuer_chain=crl_chain,
                root_ca_crl=_to_hex(root_crl),
                pck_crl=_to_hex(crl),
                tcb_info_issuer_chain=tcb_chain,
                tcb_info=bytes(signed_tcb.body).decode(),
                tcb_info_signature=signed_tcb.signature.lower(),
                qe_identity_issuer_chain=identity_chain,
                qe_identity=bytes(signed_identity.body).decode(),
                qe_identity_signature=signed_identity.signature.lower(),
            )
            return msgspec.convert(msgspec.to_builtins(collateral), Collateral)  # constructors check no limits
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnavailableError(
                "collateral.malformed", f"the collateral service at {self._base} answers something else: {error}"
            ) from error

    def _get(self, url: str, chain_header: str | None) -> tuple[bytes, str]:
        """Return an answer's body and the certificate chain in its header."""
        # SECURITY: what comes back is believed only where the verifier finds Intel's signature on it.
        try:
            with self._client.stream("GET", url) as answer:
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MAX_ANSWER_BYTES:
                        raise UnavailableError(
                            "collateral.too-large", f"{url} answers more than {MAX_ANSWER_BYTES:,} bytes"
                        )
                chain = "" if chain_header is None else urllib.parse.unquote(_header(answer, chain_header))
                if answer.status_code != httpx2.codes.OK:
                    raise UnavailableError("collateral.away", f"{url} answers with status {answer.status_code}")
        except httpx2.HTTPError as error:
            raise UnavailableError(
                "collateral.away",
                f"the collateral service cannot be reached: {error}",
                hint="check the keeper's collateral URL; it tries again with the next session",
            ) from error
        return bytes(body), chain


def _header(answer: httpx2.Response, name: str) -> str:
    # Intel renamed the header between versions of its API; caches send either.
    return answer.headers.get(name) or answer.headers.get(f"SGX-{name}") or ""


def _to_hex(crl: bytes) -> str:
    """Return a revocation list as hex; caching services send it as hex text already, Intel as DER."""
    if crl[:2] == b"30":
        return crl.decode("ascii", errors="replace").strip().lower()
    return crl.hex()


def _claimed_platform(raw_quote: bytes) -> tuple[str, str, str]:
    """Return (sgx or tdx, FMSPC, PCK authority) as the unverified quote claims them: enough to ask for collateral."""
    try:
        quote = dcap_qvl.parse_quote(raw_quote)
        return ("tdx" if quote.is_tdx() else "sgx", quote.fmspc(), quote.ca())
    except ValueError as error:
        raise QuoteRejectedError("malformed", f"the quote does not say which platform it is from: {error}") from error
