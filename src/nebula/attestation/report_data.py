"""What a session's quote binds: REPORTDATA. Runs inside the enclave and at everyone who checks it.

    REPORTDATA = SHA-512( label ‖ nonces ‖ session keys ‖ study ‖ run ‖ analysis+parameters digest ‖ consent block )

Every field stands behind its length (4 bytes, big-endian), so that no two different sessions give the same
bytes. There is one quote for all keepers: the nonces are a list of (keeper, nonce), ordered by keeper, and each
keeper looks for its own nonce in it. A keeper needs only its own to know that the quote is fresh.
"""

import hashlib
from dataclasses import dataclass

from nebula.analysis.parameters import parameters_digest, parse_parameters
from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32, Nonce, PublicKey, to_bytes, to_hex
from nebula.protocol.receipt import Evidence, KeeperNonce
from nebula.protocol.study import StudyDocument

LABEL = b"nebula/session/1"


@dataclass(frozen=True, slots=True)
class SessionBinding:
    """All that one quote vouches for.

    Attributes:
        nonces: one per keeper that was asked; order does not matter, no keeper stands twice.
        session: address of the session's secp256k1 key, which signs the receipt.
        session_key: the session's X25519 key, to which shares are sealed.
        study: the study's id, which follows from all of its document.
        run: the run's id.
        analysis_digest: see :func:`analysis_digest`.
        consent_block_number, consent_block_hash: the block that consent is first checked at.
    """

    nonces: tuple[KeeperNonce, ...]
    session: Address
    session_key: PublicKey
    study: Hash32
    run: Hash32
    analysis_digest: Hash32
    consent_block_number: int
    consent_block_hash: Hash32


def report_data(binding: SessionBinding) -> bytes:
    """Return the 64 bytes that the session has quoted.

    Raises:
        RejectedInputError: a keeper stands twice among the nonces, or there are none.
    """
    fields = (
        LABEL,
        _nonce_list(binding.nonces),
        binding.session_key,
        to_bytes(binding.session),
        to_bytes(binding.study),
        to_bytes(binding.run),
        to_bytes(binding.analysis_digest),
        binding.consent_block_number.to_bytes(8, "big"),
        to_bytes(binding.consent_block_hash),
    )
    return hashlib.sha512(b"".join(_sized(field) for field in fields)).digest()


def analysis_digest(study: StudyDocument) -> Hash32:
    """Return the digest of what is computed, as it stands in REPORTDATA and in the receipt.

    Raises:
        RejectedInputError: the study names an analysis or parameters that this version does not know.
    """
    return to_hex(parameters_digest(study.analysis, parse_parameters(study.analysis, study.parameters)))


def binding_of(evidence: Evidence) -> SessionBinding:
    """Return what the quote in some evidence has to bind, re-computed from the evidence's other fields."""
    return SessionBinding(
        nonces=evidence.nonces,
        session=evidence.session,
        session_key=evidence.session_key,
        study=study_id(evidence.study),
        run=evidence.run,
        analysis_digest=analysis_digest(evidence.study),
        consent_block_number=evidence.consent_block_number,
        consent_block_hash=evidence.consent_block_hash,
    )


def require_nonce(nonces: tuple[KeeperNonce, ...], *, keeper: Address, nonce: Nonce) -> None:
    """Check that a keeper's own nonce stands in the list, once.

    Raises:
        NotPermittedError: it does not: the quote is not fresh for this keeper.
    """
    if [entry.nonce for entry in nonces if entry.keeper == keeper] != [nonce]:
        raise NotPermittedError("appraisal.nonce", "the session's quote does not answer this keeper's nonce")


def _nonce_list(nonces: tuple[KeeperNonce, ...]) -> bytes:
    if not nonces or len({entry.keeper for entry in nonces}) != len(nonces):
        raise RejectedInputError("session.nonces", "a session needs nonces, one from each keeper")
    ordered = sorted(nonces, key=lambda entry: entry.keeper)
    return hashlib.sha512(b"".join(_sized(to_bytes(e.keeper)) + _sized(e.nonce) for e in ordered)).digest()


def _sized(field: bytes) -> bytes:
    return len(field).to_bytes(4, "big") + field
