"""The pipe's two ends, and a host that says what no honest host says."""

import io
import struct
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.enclave.host_pipe import PipeHost, SealedRequest
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.messages import ErrorAnswer
from nebula.protocol.worker import (
    Answered,
    Carry,
    Progress,
    Start,
    Unanswered,
    read_from_host,
    read_from_worker,
    write_frame,
)

REQUESTS = [
    SealedRequest("0x" + "01" * 20, "keeper.nonce", b"one"),
    SealedRequest("0x" + "02" * 20, "keeper.nonce", b"two"),
]
REFUSAL = ErrorAnswer(family="not-permitted", code="study.not-open", message="this study is not open")


def says(*frames: tuple[Start | Answered | Unanswered, bytes]) -> BinaryIO:
    stream = io.BytesIO()
    for header, payload in frames:
        write_frame(stream, header, payload)
    stream.seek(0)
    return stream


def test_answers_come_back_in_the_order_of_the_questions_whatever_order_they_come_in() -> None:
    incoming = says((Answered(sequence=2), b"to two"), (Answered(sequence=1), b"to one"))
    outgoing = io.BytesIO()

    assert PipeHost(incoming, outgoing).carry(REQUESTS) == [b"to one", b"to two"]
    outgoing.seek(0)
    said = [read_from_worker(outgoing), read_from_worker(outgoing)]
    assert said == [
        (Carry(sequence=i + 1, keeper=request.keeper, kind=request.kind), request.envelope)
        for i, request in enumerate(REQUESTS)
    ]


def test_a_refusal_keeps_its_family_and_code() -> None:
    incoming = says((Unanswered(sequence=1, error=REFUSAL), b""), (Answered(sequence=2), b"yes"))

    refusal, answer = PipeHost(incoming, io.BytesIO()).carry(REQUESTS)

    assert isinstance(refusal, NotPermittedError)
    assert (refusal.code, answer) == ("study.not-open", b"yes")


@pytest.mark.parametrize(
    "header",
    [
        Answered(sequence=3),
        Unanswered(sequence=99, error=REFUSAL),
        Start(studies_contract="0x" + "00" * 20, sessions_contract="0x" + "00" * 20, panel_location="file:///x#aa"),
    ],
)
def test_an_answer_to_what_was_not_asked_ends_the_worker(header: Start | Answered | Unanswered) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        PipeHost(says((header, b"")), io.BytesIO()).carry(REQUESTS)
    assert refusal.value.code == "frame.unexpected"


def test_an_answer_counts_once() -> None:
    incoming = says((Answered(sequence=1), b"first"), (Answered(sequence=1), b"again"))

    with pytest.raises(RejectedInputError):
        PipeHost(incoming, io.BytesIO()).carry(REQUESTS)


def test_a_host_that_closes_the_pipe_is_gone() -> None:
    with pytest.raises(UnavailableError):
        PipeHost(io.BytesIO(), io.BytesIO()).carry(REQUESTS)


def test_a_worker_is_started_by_an_order_alone() -> None:
    with pytest.raises(RejectedInputError):
        PipeHost(says((Answered(sequence=1), b"")), io.BytesIO()).await_start()


def test_a_frame_that_announces_too_much_is_not_read() -> None:
    for lengths in ((2**31, 0), (10, 2**32 - 1)):
        with pytest.raises(RejectedInputError) as refusal:
            read_from_host(io.BytesIO(struct.pack(">II", *lengths) + b"{}" * 100))
        assert refusal.value.code == "frame.too-large"


def test_a_frame_that_is_cut_is_noticed() -> None:
    whole = says((Answered(sequence=1), b"payload")).read()
    for length in range(1, len(whole)):
        with pytest.raises(IntegrityError):
            read_from_host(io.BytesIO(whole[:length]))


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_frame_or_refused(raw: bytes) -> None:
    for read in (read_from_host, read_from_worker):
        try:
            read(io.BytesIO(struct.pack(">II", len(raw), 0) + raw))
        except NebulaError:
            continue


@given(st.text(max_size=40), st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_frame_comes_out_as_it_went_in(stage: str, done: int, total: int) -> None:
    stream = io.BytesIO()
    write_frame(stream, Progress(stage=stage, done=done, total=total), b"x")
    stream.seek(0)

    assert read_from_worker(stream) == (Progress(stage=stage, done=done, total=total), b"x")
    assert read_from_worker(stream) is None
