"""A session's statement stands for each leaf in its place, and for one receipt alone."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import SigningKey
from nebula.protocol.receipt import Receipt, RunStatement, SealedLeaf, SignedReceipt
from nebula.protocol.run_statement import check_statement, leaves_digest
from nebula.protocol.signed_by_control_key import UNSIGNED, sign_document
from nebula.protocol.typed_data import Domain, receipt_digest

HASH, OTHER, CONTRACT = "0x" + "ab" * 32, "0x" + "ba" * 32, "0x" + "cd" * 20
STUDIES = Domain(1337, CONTRACT)
SESSION = SigningKey.generate()
LEAVES = st.builds(SealedLeaf, locator=st.binary(min_size=16, max_size=16), sealed=st.binary(max_size=40))


def receipt_of(session: str, *, run: str = HASH) -> SignedReceipt:
    receipt = Receipt(
        study=HASH,
        run=run,
        session=session,
        measurement=HASH,
        trust_root=HASH,
        analysis_digest=HASH,
        consent_block_number=1,
        consent_block_hash=HASH,
        use_root=HASH,
        payout_root=HASH,
        record_count=1,
        amount_wei="1",
        privacy_micro_rho=0,
        result_digest=HASH,
        simulated=True,
    )
    return SignedReceipt(receipt=receipt, signature=UNSIGNED)


def statement_of(signed: SignedReceipt, key: SigningKey = SESSION) -> RunStatement:
    digest = to_hex(receipt_digest(STUDIES, signed.receipt))
    unsigned = RunStatement(receipt=digest, leaves_digest=HASH, dropped={"withdrawn": 1}, signature=UNSIGNED)
    return sign_document(unsigned, key.secret)


@given(st.lists(LEAVES, max_size=4), st.lists(LEAVES, max_size=4))
def test_other_leaves_or_another_order_have_another_digest(leaves: list[SealedLeaf], others: list[SealedLeaf]) -> None:
    assert (leaves_digest(leaves) == leaves_digest(others)) == (leaves == others)


def test_a_statement_is_its_sessions_and_of_its_receipt() -> None:
    signed = receipt_of(SESSION.address)
    statement = statement_of(signed)
    assert check_statement(statement, signed, STUDIES) is statement

    for field, value in (("leaves_digest", OTHER), ("dropped", {}), ("receipt", OTHER), ("signature", UNSIGNED)):
        with pytest.raises((IntegrityError, RejectedInputError)):
            check_statement(msgspec.structs.replace(statement, **{field: value}), signed, STUDIES)
    with pytest.raises(IntegrityError):
        check_statement(statement_of(signed, SigningKey.generate()), signed, STUDIES)
    with pytest.raises(IntegrityError):
        check_statement(statement, receipt_of(SESSION.address, run=OTHER), STUDIES)
    with pytest.raises(IntegrityError):
        check_statement(statement, signed, Domain(1, CONTRACT))
