"""A keeper's vote is for one session's evidence, and for nothing else."""

import msgspec
import pytest

from nebula.protocol.errors import IntegrityError
from nebula.protocol.funding import study_id
from nebula.protocol.keys import SigningKey
from nebula.protocol.receipt import Evidence, KeeperNonce
from nebula.protocol.session_vote import cast_vote, check_vote, evidence_digest, session_vote
from nebula.protocol.typed_data import Domain
from simulators.consents import some_terms

KEEPER = SigningKey.generate()
DOMAIN = Domain(1, "0x" + "0e" * 20)
EVIDENCE = Evidence(
    quote=bytes(400),
    session=SigningKey.generate().address,
    session_key=bytes(32),
    study=some_terms().document,
    run="0x" + "11" * 32,
    nonces=(KeeperNonce(keeper=KEEPER.address, nonce=bytes(32)),),
    consent_block_number=7,
    consent_block_hash="0x" + "12" * 32,
)


def test_a_vote_names_what_the_ledger_registers() -> None:
    vote, study = session_vote(EVIDENCE), EVIDENCE.study
    assert (vote.session, vote.study, vote.run) == (EVIDENCE.session, study_id(study), EVIDENCE.run)
    assert (vote.measurement, vote.trust_root) == (study.measurement, study.trust_root)
    assert vote.evidence == evidence_digest(EVIDENCE)


def test_a_vote_is_believed_for_its_evidence_and_contract_only() -> None:
    vote = cast_vote(EVIDENCE, DOMAIN, KEEPER.secret)
    assert check_vote(vote, EVIDENCE, DOMAIN) == KEEPER.address
    for evidence, domain in (
        (msgspec.structs.replace(EVIDENCE, quote=bytes(401)), DOMAIN),
        (msgspec.structs.replace(EVIDENCE, consent_block_number=8), DOMAIN),
        (EVIDENCE, Domain(2, DOMAIN.contract)),
        (EVIDENCE, Domain(1, "0x" + "0f" * 20)),
    ):
        with pytest.raises(IntegrityError):
            check_vote(vote, evidence, domain)
    with pytest.raises(IntegrityError):
        check_vote(msgspec.structs.replace(vote, keeper="0x" + "0a" * 20), EVIDENCE, DOMAIN)
