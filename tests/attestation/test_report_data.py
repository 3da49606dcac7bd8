import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.attestation.report_data import SessionBinding, report_data, require_nonce
from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.receipt import KeeperNonce

addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
hashes = st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex())
nonce_lists = st.dictionaries(addresses, st.binary(min_size=32, max_size=32), min_size=1, max_size=4).map(
    lambda found: tuple(KeeperNonce(keeper=keeper, nonce=nonce) for keeper, nonce in found.items())
)
bindings = st.builds(
    SessionBinding,
    nonces=nonce_lists,
    session=addresses,
    session_key=st.binary(min_size=32, max_size=32),
    study=hashes,
    run=hashes,
    analysis_digest=hashes,
    consent_block_number=st.integers(0, 2**63 - 1),
    consent_block_hash=hashes,
)


def sized(field: bytes) -> bytes:
    return len(field).to_bytes(4, "big") + field


@given(bindings)
def test_report_data_is_the_documented_hash(binding: SessionBinding) -> None:
    ordered = sorted(binding.nonces, key=lambda entry: bytes.fromhex(entry.keeper[2:]))
    nonces = b"".join(sized(bytes.fromhex(entry.keeper[2:])) + sized(entry.nonce) for entry in ordered)
    fields = [
        b"nebula/session/1",
        hashlib.sha512(nonces).digest(),
        binding.session_key,
        bytes.fromhex(binding.session[2:]),
        bytes.fromhex(binding.study[2:]),
        bytes.fromhex(binding.run[2:]),
        bytes.fromhex(binding.analysis_digest[2:]),
        binding.consent_block_number.to_bytes(8, "big"),
        bytes.fromhex(binding.consent_block_hash[2:]),
    ]
    assert report_data(binding) == hashlib.sha512(b"".join(map(sized, fields))).digest()


@given(bindings, bindings)
def test_two_different_sessions_have_different_report_data(one: SessionBinding, other: SessionBinding) -> None:
    for name in one.__slots__:
        mixed = replace(one, **{name: getattr(other, name)})
        same = getattr(one, name) == getattr(other, name)
        if name == "nonces":
            same = set(map(str, one.nonces)) == set(map(str, other.nonces))
        assert (report_data(mixed) == report_data(one)) is same


@given(bindings)
def test_the_order_in_which_keepers_answered_does_not_matter(binding: SessionBinding) -> None:
    assert report_data(replace(binding, nonces=binding.nonces[::-1])) == report_data(binding)


@given(bindings)
def test_a_keeper_cannot_stand_twice_and_one_must_stand(binding: SessionBinding) -> None:
    for nonces in ((*binding.nonces, binding.nonces[0]), ()):
        with pytest.raises(RejectedInputError):
            report_data(replace(binding, nonces=nonces))


@given(nonce_lists)
def test_a_keeper_accepts_only_its_own_nonce(nonces: tuple[KeeperNonce, ...]) -> None:
    mine = nonces[0]
    require_nonce(nonces, keeper=mine.keeper, nonce=mine.nonce)
    for keeper, nonce in ((mine.keeper, bytes(31) + b"\1"), ("0x" + "ee" * 20, mine.nonce)):
        with pytest.raises(NotPermittedError):
            require_nonce(nonces, keeper=keeper, nonce=nonce)
    with pytest.raises(NotPermittedError):
        require_nonce((*nonces, mine), keeper=mine.keeper, nonce=mine.nonce)
