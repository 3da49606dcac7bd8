"""What a keeper's vote on a session says, derived from the evidence alone, so that all derive the same."""

from nebula.protocol.funding import study_id
from nebula.protocol.ids import to_hex
from nebula.protocol.receipt import Evidence
from nebula.protocol.signing import keccak256
from nebula.protocol.typed_data import SessionVote
from nebula.protocol.wire import to_canonical


def vote_on(evidence: Evidence) -> SessionVote:
    """Return the vote that says: this session runs the study's code, for this study and run, on this evidence."""
    return SessionVote(
        session=evidence.session,
        study=study_id(evidence.study),
        run=evidence.run,
        measurement=evidence.study.measurement,
        trust_root=evidence.study.trust_root,
        evidence=to_hex(keccak256(b"nebula/evidence/1\x00" + to_canonical(evidence))),
    )
