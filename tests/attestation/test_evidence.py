import msgspec
import pytest

from nebula.attestation.appraisal import AppraisedSession
from nebula.attestation.errors import AppraisalRefusedError
from nebula.attestation.evidence import appraise_evidence
from nebula.attestation.report_data import binding_of, report_data
from nebula.attestation.roots import TrustRoot
from nebula.protocol.duo import Purpose
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.receipt import Evidence, KeeperNonce
from nebula.protocol.study import PartKind, PurposeTerms, StudyDocument
from simulators.sgx import NOW, SgxHardware

KEEPERS = tuple("0x" + f"{n:02x}" * 20 for n in (1, 2, 3))
NONCES = tuple(KeeperNonce(keeper=keeper, nonce=bytes([n]) * 32) for n, keeper in enumerate(KEEPERS))
OTHER = "0x" + "99" * 32


def study(hardware: SgxHardware) -> StudyDocument:
    return StudyDocument(
        chain_id=1,
        buyer="0x" + "aa" * 20,
        operator="0x" + "bb" * 20,
        result_key=bytes(32),
        title="Height",
        summary="Which common variants go with height?",
        purpose=PurposeTerms(purposes=(Purpose.GENERAL,)),
        analysis="gwas-linear@1",
        parameters={"trait": "height"},
        parts=(PartKind.GENOTYPES,),
        panel="0x" + "cc" * 32,
        price_per_record_wei="1",
        fee_wei="1",
        min_records=1,
        max_records=10,
        deadline=2_000_000_000,
        keepers=KEEPERS,
        keeper_threshold=2,
        measurement=hardware.measurement,
        trust_root=hardware.pki.trust_root.fingerprint,
    )


def evidence(hardware: SgxHardware) -> Evidence:
    bare = Evidence(
        quote=b"",
        session="0x" + "dd" * 20,
        session_key=b"k" * 32,
        study=study(hardware),
        run="0x" + "ee" * 32,
        nonces=NONCES,
        consent_block_number=7,
        consent_block_hash="0x" + "ff" * 32,
    )
    return msgspec.structs.replace(bare, quote=hardware.quote(report_data(binding_of(bare))))


def appraised(hardware: SgxHardware, shown: Evidence, own: KeeperNonce | None = None) -> AppraisedSession:
    roots = (TrustRoot.intel(), hardware.pki.trust_root)
    return appraise_evidence(shown, hardware.collateral(), roots, hardware.policy(), at=NOW, own=own)


def test_every_keeper_believes_one_quote_and_an_auditor_does_too(hardware: SgxHardware) -> None:
    shown = evidence(hardware)
    for own in (*NONCES, None):
        assert appraised(hardware, shown, own).measurement == hardware.measurement


def test_a_keeper_whose_nonce_is_not_in_it_believes_nothing(hardware: SgxHardware) -> None:
    old = KeeperNonce(keeper=KEEPERS[0], nonce=b"o" * 32)
    with pytest.raises(NotPermittedError) as refused:
        appraised(hardware, evidence(hardware), old)
    assert refused.value.code == "appraisal.nonce"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session", "0x" + "00" * 20),
        ("session_key", b"x" * 32),
        ("run", OTHER),
        ("nonces", NONCES[:2]),
        ("consent_block_number", 8),
        ("consent_block_hash", OTHER),
    ],
)
def test_evidence_with_any_other_field_is_refused(hardware: SgxHardware, name: str, value: object) -> None:
    shown = msgspec.structs.replace(evidence(hardware), **{name: value})
    with pytest.raises(AppraisalRefusedError) as refused:
        appraised(hardware, shown, NONCES[0])
    assert refused.value.reason == "report-data"


@pytest.mark.parametrize(
    ("name", "value"), [("parameters", {"trait": "weight"}), ("title", "Weight"), ("max_records", 11)]
)
def test_a_quote_for_one_study_does_not_serve_another(hardware: SgxHardware, name: str, value: object) -> None:
    shown = evidence(hardware)
    other = msgspec.structs.replace(shown, study=msgspec.structs.replace(shown.study, **{name: value}))
    with pytest.raises(AppraisalRefusedError) as refused:
        appraised(hardware, other)
    assert refused.value.reason == "report-data"


def test_the_studys_root_must_be_one_that_is_known(hardware: SgxHardware) -> None:
    shown = evidence(hardware)
    with pytest.raises(AppraisalRefusedError) as refused:
        appraise_evidence(shown, hardware.collateral(), [TrustRoot.intel()], hardware.policy(), at=NOW)
    assert refused.value.reason == "trust-root"


def test_allowed_code_that_the_study_does_not_name_is_refused(hardware: SgxHardware) -> None:
    other = hardware.but(measurement=OTHER)
    bare = evidence(hardware)
    shown = msgspec.structs.replace(bare, quote=other.quote(report_data(binding_of(bare))))
    roots = (hardware.pki.trust_root,)
    with pytest.raises(AppraisalRefusedError) as refused:
        appraise_evidence(shown, hardware.collateral(), roots, other.policy(), at=NOW)
    assert refused.value.reason == "measurement"
