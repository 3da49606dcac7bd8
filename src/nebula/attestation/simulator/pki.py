"""The development PKI: a root, a PCK authority, one platform's PCK certificate, a TCB signer.

Kept in a folder, one ``NAME.key`` (PKCS 8, readable by its owner only) and one ``NAME.pem`` each. The names in
the certificates say what they are, as loudly as Intel's rules for names allow: verifiers look for Intel's words
inside the common name, and the TCB signer's must be exactly Intel's.
"""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from nebula.attestation.pck import SGX_EXTENSION, Platform
from nebula.attestation.roots import TrustRoot
from nebula.attestation.simulator.der import encode_platform
from nebula.attestation.verified_collateral import TCB_SIGNER
from nebula.files import write_new
from nebula.protocol.errors import RejectedInputError

ORGANIZATION = "Nebula DEVELOPMENT PKI - SIMULATED HARDWARE, PROTECTS NOTHING"
LIFETIME = timedelta(days=3650)
PLATFORM = Platform(
    ppid=bytes.fromhex("51a0" * 8),
    fmspc=bytes.fromhex("00d0e0510000"),
    pce_id=bytes(2),
    components=(2,) * 16,
    pce_svn=13,
)
_ROOT, _AUTHORITY, _PCK, _SIGNER = "root", "pck-authority", "pck", "tcb-signer"
_NAMES = {
    _ROOT: "DEVELOPMENT SGX Root CA (SIMULATED)",
    _AUTHORITY: "DEVELOPMENT SGX PCK Platform CA (SIMULATED)",
    _PCK: "DEVELOPMENT SGX PCK Certificate (SIMULATED)",
    _SIGNER: TCB_SIGNER,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        """Return the certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True, slots=True)
class DevelopmentPki:
    """All keys that real hardware would keep to itself and to Intel."""

    root: Identity
    authority: Identity
    pck: Identity
    signer: Identity

    @classmethod
    def create(cls, folder: Path, *, at: datetime) -> Self:
        """Make a new PKI that is valid for ten years from the day before ``at``, and keep it in a new folder.

        Raises:
            RejectedInputError: the folder exists.
        """
        if folder.exists():
            raise RejectedInputError("simulator.pki-exists", f"there is something at {folder} already")
        pki = cls._generate(at)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # A half-written PKI would be another root than the one that was told to others: all or nothing.
        half_written = Path(tempfile.mkdtemp(prefix=".pki-", dir=folder.parent))
        try:
            for name, identity in pki.identities().items():
                write_new(half_written / f"{name}.pem", identity.pem(), mode=0o600)
                write_new(half_written / f"{name}.key", _key_pem(identity.key), mode=0o600)
            half_written.rename(folder)
        except BaseException:
            shutil.rmtree(half_written, ignore_errors=True)
            raise
        return pki

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a PKI from its folder.

        Raises:
            RejectedInputError: it is not there, or not whole.
        """
        try:
            return cls(*(_read(folder, name) for name in _NAMES))
        except (OSError, ValueError) as error:
            raise RejectedInputError("simulator.pki", f"there is no development PKI at {folder}: {error}") from error

    @classmethod
    def open(cls, folder: Path, *, at: datetime) -> Self:
        """Read the PKI in a folder, or make one there."""
        return cls.load(folder) if folder.exists() else cls.create(folder, at=at)

    @property
    def trust_root(self) -> TrustRoot:
        """The root to pin."""
        return TrustRoot(self.root.certificate.public_bytes(Encoding.DER))

    @property
    def pck_chain_pem(self) -> bytes:
        """What quotes carry: PCK certificate, authority, root."""
        return self.pck.pem() + self.authority.pem() + self.root.pem()

    @classmethod
    def _generate(cls, at: datetime) -> Self:
        root = _issue(_ROOT, None, path_length=1, at=at)
        authority = _issue(_AUTHORITY, root, path_length=0, at=at)
        extension = x509.UnrecognizedExtension(SGX_EXTENSION, encode_platform(PLATFORM))
        pck = _issue(_PCK, authority, at=at, extension=extension)
        return cls(root=root, authority=authority, pck=pck, signer=_issue(_SIGNER, root, at=at))

    def identities(self) -> dict[str, Identity]:
        """Return every certificate with its key, by file name."""
        return dict(zip(_NAMES, (self.root, self.authority, self.pck, self.signer), strict=True))


def _issue(
    name: str,
    issuer: Identity | None,
    *,
    at: datetime,
    path_length: int | None = None,
    extension: x509.UnrecognizedExtension | None = None,
) -> Identity:
    """Issue one certificate; ``path_length`` makes it an authority, no issuer makes it a root."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_key = issuer.key if issuer else key
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, _NAMES[name]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
        ]
    )
    begins = at.replace(microsecond=0) - timedelta(days=1)
    is_authority = path_length is not None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + LIFETIME)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=path_length), critical=True)
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return Identity(builder.sign(issuer_key, SHA256()), key)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=not is_authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read(folder: Path, name: str) -> Identity:
    key = load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{name}.key is of another kind")  # noqa: TRY004  # the caller turns it into its own error
    return Identity(x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes()), key)
