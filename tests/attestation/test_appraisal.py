from dataclasses import replace

import pytest

from nebula.attestation.appraisal import (
    RULES,
    AppraisalPolicy,
    SignerRule,
    appraise,
    production_policy,
)
from nebula.attestation.claims import TcbStatus, Tee, VerifiedClaims
from nebula.attestation.errors import AppraisalRefusedError
from nebula.attestation.roots import INTEL_FINGERPRINT, TrustRoot
from nebula.attestation.simulator.collateral import CollateralFaults
from nebula.attestation.simulator.cpu import ENCLAVE_SIGNER, EnclaveShape
from nebula.attestation.verify import verify_quote
from nebula.protocol.errors import NotPermittedError
from simulators.sgx import MEASUREMENT, REPORT_DATA, Genuine, SgxHardware, development_policy


def refusal(claims: VerifiedClaims, policy: AppraisalPolicy, report_data: bytes = REPORT_DATA) -> str:
    with pytest.raises(AppraisalRefusedError) as refused:
        appraise(claims, policy, expected_report_data=report_data)
    assert isinstance(refused.value, NotPermittedError)
    assert refused.value.code == f"appraisal.{refused.value.reason}"
    return refused.value.reason


def test_a_session_that_the_policy_asks_for_is_appraised_and_marked_as_simulated(hardware: SgxHardware) -> None:
    session = appraise(hardware.claims(), hardware.policy(), expected_report_data=REPORT_DATA)

    assert session.measurement == MEASUREMENT
    assert session.trust_root == hardware.pki.trust_root.fingerprint
    assert session.simulated


def test_simulated_hardware_never_passes_for_real(hardware: SgxHardware) -> None:
    claims = hardware.claims()
    known = frozenset({MEASUREMENT})
    assert refusal(claims, production_policy(known)) == "simulated-hardware"
    # Not even when someone adds the development root to a production policy.
    lax = replace(production_policy(known), trust_roots=frozenset({INTEL_FINGERPRINT, claims.trust_root}))
    assert refusal(claims, lax) == "simulated-hardware"


def test_real_hardware_is_not_marked_as_simulated(genuine_sgx: Genuine) -> None:
    claims = verify_quote(genuine_sgx.quote, genuine_sgx.collateral, TrustRoot.intel(), at=genuine_sgx.at)
    policy = replace(
        production_policy(frozenset({claims.measurement})),
        tcb_statuses=frozenset({TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED}),
        advisories=frozenset({"INTEL-SA-00289", "INTEL-SA-00615"}),
    )
    assert not appraise(claims, policy, expected_report_data=claims.report_data).simulated
    assert refusal(claims, production_policy(frozenset({claims.measurement})), claims.report_data) == "tcb-status"
    one = replace(policy, advisories=frozenset({"INTEL-SA-00289"}))
    assert refusal(claims, one, claims.report_data) == "advisories"


def test_a_root_that_is_not_pinned_is_refused(hardware: SgxHardware) -> None:
    other = development_policy("0x" + "00" * 32, frozenset({MEASUREMENT}))
    assert refusal(hardware.claims(), other) == "trust-root"


def test_other_code_is_refused(hardware: SgxHardware) -> None:
    assert refusal(hardware.but(measurement="0x" + "01" * 32).claims(), hardware.policy()) == "measurement"


def test_debug_mode_is_refused_even_if_a_verifier_let_it_through(hardware: SgxHardware) -> None:
    claims = replace(hardware.claims(), attributes=EnclaveShape(debug=True).attributes)
    assert refusal(claims, hardware.policy()) == "debug"


@pytest.mark.parametrize("flags", [0x04, 0x05 | 0x10, 0x05 | 0x20, 0x05 | 1 << 40])
def test_an_enclave_with_unexpected_attributes_is_refused(hardware: SgxHardware, flags: int) -> None:
    bad = hardware.but(shape=EnclaveShape(flags=flags))
    assert refusal(bad.claims(), hardware.policy()) == "attributes"


def test_another_configuration_is_refused(hardware: SgxHardware) -> None:
    other = hardware.but(shape=EnclaveShape(config_id=b"\1" * 64)).claims()
    assert refusal(other, hardware.policy()) == "config-id"
    assert appraise(other, replace(hardware.policy(), config_id=b"\1" * 64), expected_report_data=REPORT_DATA).simulated
    assert refusal(hardware.claims(), replace(hardware.policy(), config_id=b"\1" * 64)) == "config-id"


@pytest.mark.parametrize("status", [TcbStatus.OUT_OF_DATE, TcbStatus.CONFIGURATION_NEEDED])
def test_a_status_that_is_not_on_the_list_is_refused(hardware: SgxHardware, status: TcbStatus) -> None:
    bad = hardware.but(faults=CollateralFaults(tcb_status=status))
    assert refusal(bad.claims(), hardware.policy()) == "tcb-status"
    assert appraise(
        bad.claims(),
        replace(hardware.policy(), tcb_statuses=frozenset({status})),
        expected_report_data=REPORT_DATA,
    )


def test_an_advisory_that_is_not_tolerated_is_refused(hardware: SgxHardware) -> None:
    bad = hardware.but(faults=CollateralFaults(advisories=("INTEL-SA-00001",)))
    assert refusal(bad.claims(), hardware.policy()) == "advisories"


def test_an_evaluation_that_is_too_old_is_refused(hardware: SgxHardware) -> None:
    bad = hardware.but(faults=CollateralFaults(evaluation_number=16))
    assert refusal(bad.claims(), hardware.policy()) == "tcb-evaluation"


def test_a_platform_that_is_not_on_the_list_is_refused(hardware: SgxHardware) -> None:
    assert refusal(hardware.claims(), replace(hardware.policy(), platforms=frozenset({"00A067110000"}))) == "platform"


@pytest.mark.parametrize("expected", [REPORT_DATA[:-1] + b"\0", REPORT_DATA[:32], b""])
def test_a_quote_made_for_something_else_is_refused(hardware: SgxHardware, expected: bytes) -> None:
    assert refusal(hardware.claims(), hardware.policy(), expected) == "report-data"


def test_a_signer_rule_lets_a_product_through_from_a_version_on(hardware: SgxHardware) -> None:
    claims = hardware.claims()
    policy = replace(hardware.policy(), measurements=frozenset())
    good = SignerRule(ENCLAVE_SIGNER, product_id=1, min_svn=1)
    assert appraise(claims, replace(policy, signers=(good,)), expected_report_data=REPORT_DATA)
    for bad in (replace(good, min_svn=2), replace(good, product_id=2), replace(good, mr_signer=bytes(32))):
        assert refusal(claims, replace(policy, signers=(bad,))) == "measurement"


def test_no_signer_rule_covers_a_tdx_quote(hardware: SgxHardware) -> None:
    claims = replace(hardware.claims(), tee=Tee.TDX, attributes=bytes(8))
    rule = SignerRule(ENCLAVE_SIGNER, product_id=1, min_svn=0)
    assert refusal(claims, replace(hardware.policy(), measurements=frozenset(), signers=(rule,))) == "measurement"


def test_a_tdx_quote_passes_a_policy_that_names_its_measurement(genuine_tdx: Genuine) -> None:
    claims = verify_quote(genuine_tdx.quote, genuine_tdx.collateral, TrustRoot.intel(), at=genuine_tdx.at)
    policy = production_policy(frozenset({claims.measurement}))
    assert not appraise(claims, policy, expected_report_data=claims.report_data).simulated
    debug = replace(claims, attributes=b"\1" + claims.attributes[1:])
    assert refusal(debug, policy, claims.report_data) == "debug"


def test_every_rule_has_a_test_that_breaks_it() -> None:
    broken = {
        "simulated-hardware",
        "trust-root",
        "debug",
        "attributes",
        "measurement",
        "config-id",
        "tcb-status",
        "advisories",
        "tcb-evaluation",
        "platform",
        "report-data",
    }
    assert {rule.reason for rule in RULES} == broken
