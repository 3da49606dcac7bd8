"""Envelopes: believed only when every check passes, in order, and answers only to their own question."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.protocol.envelope import CLOCK_SKEW_SECONDS, VerifiedMessage, open_answer, open_envelope, seal_envelope
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, RejectedInputError
from nebula.protocol.keys import SigningKey
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import MAX_MESSAGE_BYTES

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ALICE, BOB, EVE = (SigningKey.from_secret(SecretBytes(bytes([number]) * 32)) for number in (1, 2, 3))
KINDS = frozenset({"keeper.nonce", "keeper.release"})


def sealed(body: object = None, key: SigningKey = ALICE, **changes: Any) -> bytes:
    how = {"key": key.secret, "recipient": BOB.address, "at": NOW, "nonce": bytes(16), **changes}
    return seal_envelope(how.pop("kind", "keeper.nonce"), {"a": 1} if body is None else body, **how)


def opened(raw: bytes, **how: Any) -> VerifiedMessage:
    return open_envelope(raw, **{"me": BOB.address, "at": NOW, "kinds": KINDS, **how})


def altered(raw: bytes, **fields: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(raw), **fields})


def test_what_was_sealed_is_opened_with_its_sender_and_the_very_bytes_of_its_body() -> None:
    message = opened(sealed({"b": [1, 2], "c": None}))
    assert (message.sender, message.kind, message.sent) == (ALICE.address, "keeper.nonce", int(NOW.timestamp()))
    assert message.body == b'{"b":[1,2],"c":null}'


CHANGES: list[tuple[str, object, type[NebulaError]]] = [
    ("version", 2, RejectedInputError),
    ("surprise", 1, RejectedInputError),
    ("kind", "Keeper Nonce", RejectedInputError),
    ("kind", "hub.relay", RejectedInputError),
    ("kind", "keeper.release", IntegrityError),
    ("sender", EVE.address, IntegrityError),
    ("recipient", EVE.address, NotPermittedError),
    ("sent", int(NOW.timestamp()) + 1, IntegrityError),
    ("sent", int(NOW.timestamp()) + CLOCK_SKEW_SECONDS + 1, NotPermittedError),
    ("sent", -1, RejectedInputError),
    ("nonce", "AAAAAAAAAAAAAAAAAAAAAQ==", IntegrityError),
    ("nonce", "AAAA", RejectedInputError),
    ("reply_to", "0x" + "00" * 32, IntegrityError),
    ("body", {"a": 2}, IntegrityError),
]


@pytest.mark.parametrize(("field", "value", "error"), CHANGES)
def test_no_field_can_be_changed(field: str, value: object, error: type[NebulaError]) -> None:
    with pytest.raises(error):
        opened(altered(sealed(), **{field: value}))


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_an_envelope_can_be_flipped(place: int, bit: int) -> None:
    raw = bytearray(sealed())
    raw[place % len(raw)] ^= 1 << bit
    try:
        message = opened(bytes(raw))
    except NebulaError:
        return
    # JSON has more than one way to write the same: then the message is the same.
    assert message.digest == opened(sealed()).digest


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_worse(raw: bytes) -> None:
    with pytest.raises(RejectedInputError):
        opened(raw)


def test_an_oversize_envelope_is_not_even_parsed() -> None:
    with pytest.raises(RejectedInputError) as refused:
        opened(b" " * (MAX_MESSAGE_BYTES + 1))
    assert refused.value.code == "wire.too-large"


@pytest.mark.parametrize("seconds", [-CLOCK_SKEW_SECONDS, CLOCK_SKEW_SECONDS])
def test_clocks_may_differ_by_two_minutes_and_no_more(seconds: int) -> None:
    opened(sealed(at=NOW + timedelta(seconds=seconds)))
    with pytest.raises(NotPermittedError) as refused:
        opened(sealed(at=NOW + timedelta(seconds=seconds + (1 if seconds > 0 else -1))))
    assert refused.value.code == "message.stale"


def answer(request: bytes, key: SigningKey = BOB, **changes: Any) -> bytes:
    reply_to = opened(request).digest
    return sealed({"ok": True}, key=key, **{"recipient": ALICE.address, "reply_to": reply_to, **changes})


def test_an_answer_is_believed_from_the_party_that_was_asked() -> None:
    request = sealed()
    assert open_answer(answer(request), request=request, expected_sender=BOB.address).body == b'{"ok":true}'


def test_an_answer_by_another_party_is_refused() -> None:
    request = sealed()
    with pytest.raises(IntegrityError, match="not signed by"):
        open_answer(answer(request, key=EVE), request=request, expected_sender=BOB.address)
    lying = altered(answer(request, key=EVE), sender=BOB.address)
    with pytest.raises(IntegrityError, match="not signed by"):
        open_answer(lying, request=request, expected_sender=BOB.address)


def test_an_answer_to_another_request_is_refused() -> None:
    asked, other = sealed(), sealed(nonce=b"\1" * 16)
    with pytest.raises(IntegrityError, match="another request"):
        open_answer(answer(other), request=asked, expected_sender=BOB.address)
    with pytest.raises(IntegrityError, match="another request"):
        open_answer(answer(asked, recipient=EVE.address), request=asked, expected_sender=BOB.address)


def test_a_request_is_no_answer_to_itself() -> None:
    request = sealed(key=BOB, recipient=BOB.address)
    with pytest.raises(IntegrityError, match="another request"):
        open_answer(request, request=request, expected_sender=BOB.address)


FIELDS = ("version", "kind", "sender", "recipient", "sent", "nonce", "reply_to", "body", "signature", "surprise")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70) | st.just(ALICE.address),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=400)
@given(st.binary(max_size=300) | json_values.map(msgspec.json.encode) | st.just(b'{"body":' * 50_000))
def test_no_bytes_at_all_open_as_an_envelope_or_end_in_anything_but_a_refusal(raw: bytes) -> None:
    with pytest.raises(RejectedInputError) as refused:
        opened(raw)
    assert refused.value.code == "wire.malformed"


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from(FIELDS), json_values, min_size=1, max_size=3), st.sets(st.sampled_from(FIELDS)))
def test_an_envelope_that_was_mended_by_a_stranger_is_refused_or_the_same(
    fields: dict[str, Any], left_out: set[str]
) -> None:
    honest = sealed()
    mended = {**msgspec.json.decode(honest), **fields}
    raw = msgspec.json.encode({name: value for name, value in mended.items() if name not in left_out})
    family, message = "", None
    try:
        message = opened(raw)
    except (RejectedInputError, NotPermittedError, IntegrityError) as error:
        family = error.code.partition(".")[0]
    assert message == opened(honest) or family in ("wire", "message", "signature")
