"""Letters: padded, and opened by nobody else."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.protocol.beacon import BeaconRequest, Filter, Operator, Query, VariantParameters
from nebula.protocol.discovery import LETTER_BLOCK, AskedQuestion, ask, open_question, seal_answer
from nebula.protocol.errors import IntegrityError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import DiscoveryAnswer, DiscoveryQuestion, ErrorAnswer
from nebula.protocol.receipt import Evidence, KeeperNonce
from nebula.protocol.sealing import SEALING_OVERHEAD_BYTES, SealingKey
from nebula.protocol.wire import parser, to_canonical
from simulators.consents import some_terms

AT = datetime(2026, 11, 26, tzinfo=UTC)
RUN = "0x" + "a1" * 32
SIGNING, SEALING, BUYER = SigningKey.generate(), SealingKey.generate(), SigningKey.generate()
EVIDENCE = Evidence(
    quote=bytes(400),
    session=SIGNING.address,
    session_key=SEALING.public_key,
    study=some_terms().document,
    run=RUN,
    nonces=(KeeperNonce(keeper="0x" + "0a" * 20, nonce=bytes(32)),),
    consent_block_number=1,
    consent_block_hash="0x" + "0b" * 32,
)
EVERYONE = BeaconRequest()
_parse = parser(BeaconRequest)

bases = st.text("ACGT", min_size=1, max_size=30)
filters = st.one_of(
    st.builds(
        Filter,
        id=st.text(min_size=1, max_size=120),
        operator=st.sampled_from(Operator),
        value=st.floats(allow_nan=False, allow_infinity=False),
        unit=st.none() | st.text(max_size=50),
    ),
    st.builds(Filter, id=st.text(min_size=1, max_size=120), value=st.text(min_size=1, max_size=120)),
)
variants = st.builds(
    VariantParameters,
    assembly_id=st.just("GRCh38"),
    reference_name=st.sampled_from(["1", "chr22", "X", "MT"]),
    start=st.tuples(st.integers(0, 2**28 - 1)),
    reference_bases=bases,
    alternate_bases=bases,
)
queries = st.builds(Query, request_parameters=st.none() | variants, filters=st.lists(filters, max_size=10).map(tuple))
requests = st.builds(BeaconRequest, query=queries)


def asked(request: BeaconRequest = EVERYONE) -> AskedQuestion:
    return ask(request, EVIDENCE, key=BUYER.secret, at=AT)


def opened(question: AskedQuestion) -> tuple[DiscoveryQuestion, Any]:
    return open_question(question.sealed, key=SEALING, run=RUN, me=SIGNING.address, at=AT)


def answered(question: AskedQuestion, answer: DiscoveryAnswer, key: SigningKey = SIGNING) -> bytes:
    body, message = opened(question)
    return seal_answer(answer, body, message, key=key.secret, at=AT)


@settings(max_examples=50)
@given(requests)
def test_every_question_arrives_as_it_was_asked_and_fills_whole_blocks(request: BeaconRequest) -> None:
    assert _parse(to_canonical(request)) == request
    question = asked(request)
    body, message = opened(question)
    assert body.request == request
    assert message.sender == BUYER.address
    assert (len(question.sealed) - SEALING_OVERHEAD_BYTES) % LETTER_BLOCK == 0


def test_an_answer_opens_for_who_asked_and_for_this_question_alone() -> None:
    question, another = asked(), asked()
    answer = DiscoveryAnswer(error=ErrorAnswer(family="rejected", code="x.y", message="no"))
    letter = answered(question, answer)
    assert question.open_answer(letter) == answer
    with pytest.raises(IntegrityError):
        another.open_answer(letter)
    with pytest.raises(IntegrityError):
        question.open_answer(letter[:-1] + bytes([letter[-1] ^ 1]))


def test_an_answer_that_another_signed_is_none() -> None:
    question = asked()
    with pytest.raises(IntegrityError):
        question.open_answer(answered(question, DiscoveryAnswer(), key=SigningKey.generate()))


def test_a_question_opens_in_its_run_and_for_its_session_alone() -> None:
    question = asked()
    with pytest.raises(IntegrityError):
        open_question(question.sealed, key=SEALING, run="0x" + "a2" * 32, me=SIGNING.address, at=AT)
    with pytest.raises(IntegrityError):
        open_question(question.sealed, key=SealingKey.generate(), run=RUN, me=SIGNING.address, at=AT)
