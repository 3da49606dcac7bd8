"""A keeper's vote: what it says yes to, in the form in which the ledger counts it."""

from nebula.protocol.errors import IntegrityError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32, to_hex
from nebula.protocol.receipt import Evidence, KeeperVote
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import address_of_secret, keccak256, recover, sign_digest
from nebula.protocol.typed_data import Domain, SessionVote, session_vote_digest
from nebula.protocol.wire import to_canonical


def evidence_digest(evidence: Evidence) -> Hash32:
    """Return the digest by which the ledger names a session's evidence; every keeper must sign the same.

    Collateral is not in it: each keeper fetches its own, and two keepers may rightly judge by different issues.
    """
    return to_hex(keccak256(b"nebula/evidence/1\x00" + to_canonical(evidence)))


def session_vote(evidence: Evidence) -> SessionVote:
    """Return what keepers sign, and what the ledger registers, for a session with this evidence."""
    return SessionVote(
        session=evidence.session,
        study=study_id(evidence.study),
        run=evidence.run,
        measurement=evidence.study.measurement,
        trust_root=evidence.study.trust_root,
        evidence=evidence_digest(evidence),
    )


def cast_vote(evidence: Evidence, domain: Domain, key: SecretBytes) -> KeeperVote:
    """Sign yes to a session. ``domain``: the sessions' contract."""
    signature = sign_digest(key, session_vote_digest(domain, session_vote(evidence)))
    return KeeperVote(keeper=address_of_secret(key), signature=signature)


def check_vote(vote: KeeperVote, evidence: Evidence, domain: Domain) -> Address:
    """Return the keeper whose vote this is.

    Raises:
        RejectedInputError: the signature is malformed.
        IntegrityError: the keeper did not sign this.
    """
    if recover(session_vote_digest(domain, session_vote(evidence)), vote.signature) != vote.keeper:
        raise IntegrityError("session.vote", f"this vote was not signed by keeper {vote.keeper}")
    return vote.keeper
