"""Documents under a control key's signature: nothing in them can be changed, and none passes for another."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.errors import IntegrityError, NebulaError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import Acceptance, Approval
from nebula.protocol.signed_by_control_key import UNSIGNED, check_document, document_digest, sign_document

OWNER, OTHER = SigningKey.generate(), SigningKey.generate()
DOCUMENT = Approval(record=OWNER.address, study="0x" + "11" * 32, signature=UNSIGNED)


def test_what_the_key_signed_is_believed() -> None:
    signed = sign_document(DOCUMENT, OWNER.secret)
    assert check_document(signed, OWNER.address) is signed


def test_signing_again_gives_the_same_document() -> None:
    assert sign_document(sign_document(DOCUMENT, OTHER.secret), OWNER.secret) == sign_document(DOCUMENT, OWNER.secret)


def test_another_keys_signature_is_refused() -> None:
    with pytest.raises(IntegrityError):
        check_document(sign_document(DOCUMENT, OTHER.secret), OWNER.address)


def test_an_altered_document_is_refused() -> None:
    signed = sign_document(DOCUMENT, OWNER.secret)
    with pytest.raises(IntegrityError):
        check_document(msgspec.structs.replace(signed, study="0x" + "12" * 32), OWNER.address)


@given(place=st.integers(0, 64), bit=st.integers(0, 7))
def test_no_bit_of_a_signature_can_be_flipped(place: int, bit: int) -> None:
    signature = bytearray(sign_document(DOCUMENT, OWNER.secret).signature)
    signature[place] ^= 1 << bit
    with pytest.raises(NebulaError):
        check_document(msgspec.structs.replace(DOCUMENT, signature=bytes(signature)), OWNER.address)


def test_an_unsigned_document_is_refused() -> None:
    with pytest.raises(NebulaError):
        check_document(DOCUMENT, OWNER.address)


def test_each_kind_of_document_has_a_label_of_its_own() -> None:
    other = Acceptance(record=OWNER.address, version=1, record_commitment="0x" + "00" * 26, signature=UNSIGNED)
    assert document_digest(other) != document_digest(DOCUMENT)
