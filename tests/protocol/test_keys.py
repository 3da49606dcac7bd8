"""Twenty-four words give every key, each of its own, by BIP-39 and BIP-32."""

import pytest
from bip_utils import Bip32Slip10Secp256k1
from hypothesis import given, settings
from hypothesis import strategies as st
from mnemonic import Mnemonic

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.keys import MAX_INDEX, OwnerKeys, SigningKey, _Node, check_mnemonic, generate_mnemonic
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import recover

WORDS = "abandon " * 23 + "art"
KEYS = OwnerKeys.from_mnemonic(WORDS)


def test_bip39_s_own_vector_gives_its_seed() -> None:
    seed = Mnemonic.to_seed(check_mnemonic(WORDS))
    assert seed.hex().startswith("408b285c123836004f4b8842c89324c1f01382450c0d439af345ba7fc49acf70")


def test_bip32_s_first_vector_gives_its_hardened_child() -> None:
    root = _Node.from_seed(SecretBytes(bytes(range(16))))
    child = root.hardened(0)
    assert root.key.reveal().hex() == "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"
    assert child.key.reveal().hex() == "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"
    assert child.chain_code.reveal().hex() == "47fdacbd0f1097043b78c63c20c34ef4ed9a111d980047ad16282c7ae6236141"


def test_bip32_s_third_vector_keeps_its_leading_zeros() -> None:
    seed = bytes.fromhex(
        "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be"
    )
    child = _Node.from_seed(SecretBytes(seed)).hardened(0)
    assert child.key.reveal().hex() == "491f7a2eebc7b57028e0d3faa0acda02e75c33b03c48fb288c41e2ea44e1daef"


@given(seed=st.binary(min_size=16, max_size=64), path=st.lists(st.integers(0, MAX_INDEX), max_size=4))
@settings(max_examples=30, deadline=None)
def test_derivation_agrees_with_the_library(seed: bytes, path: list[int]) -> None:
    library = Bip32Slip10Secp256k1.FromSeed(seed)
    if path:
        library = library.DerivePath("/".join(f"{index}'" for index in path))
    ours = _Node.from_seed(SecretBytes(seed)).hardened(*path)
    assert ours.key.reveal() == library.PrivateKey().Raw().ToBytes()
    assert ours.chain_code.reveal() == library.ChainCode().ToBytes()


def test_a_control_key_is_where_the_path_says() -> None:
    library = Bip32Slip10Secp256k1.FromSeed(Mnemonic.to_seed(WORDS)).DerivePath("m/20017'/0'/7'")
    assert KEYS.control_key(7).secret.reveal() == library.PrivateKey().Raw().ToBytes()
    assert KEYS.control_key(7).public_key == library.PublicKey().RawCompressed().ToBytes()


def all_secrets(keys: OwnerKeys) -> list[bytes]:
    stealth = keys.stealth_keys()
    signing = [keys.control_key(i) for i in range(4)]
    signing += [stealth.spending, stealth.viewing, keys.storage_key()]
    return [key.secret.reveal() for key in signing] + [keys.crypt4gh_identity().secret.reveal()]


def test_no_key_serves_two_uses_two_donors_or_two_owners() -> None:
    owners = [KEYS, *(KEYS.donor(i) for i in range(5)), OwnerKeys.from_mnemonic(generate_mnemonic())]
    secrets = [secret for owner in owners for secret in all_secrets(owner)]
    assert len(set(secrets)) == len(secrets)


def test_the_same_words_always_give_the_same_keys() -> None:
    again = OwnerKeys.from_mnemonic(f"  {WORDS.upper()}\n".replace(" ", "  "))
    assert all_secrets(again) == all_secrets(KEYS)
    assert all_secrets(again.donor(3)) == all_secrets(KEYS.donor(3))


def test_the_addresses_are_pinned_so_that_no_release_loses_anyone_s_keys() -> None:
    assert KEYS.control_key(0).address == "0xf1120568a3d1752645193f9489a6935fb54160ff"
    assert KEYS.donor(0).control_key(0).address == "0xb7c1af99fbfb03b29c5b291fa245a3e65ba41bab"
    identity = "35372fbb9f8458f2a296f85b82d395b3904197c8c5c470c5842b8268bb8d083d"
    assert KEYS.crypt4gh_identity().public_key.hex() == identity
    spending = "02ba02e670a45ba28160fea8ce1988d35792919668874fd38c31176bb4dcf8237e"
    viewing = "03699385837f85f97497447243bf495360eaf4db24f3e823c556a6a35129c0ded7"
    assert KEYS.stealth_keys().meta_address == f"st:eth:0x{spending}{viewing}"


def test_fresh_words_are_valid_and_differ() -> None:
    words = generate_mnemonic()
    assert check_mnemonic(words) == words
    assert len(words.split()) == 24
    assert words != generate_mnemonic()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "0 were given"),
        ("abandon " * 11 + "about", "12 were given"),
        ("abandon " * 24, "checksum"),
        ("abandon " * 22 + "art abandon", "checksum"),
        ("abandon " * 22 + "hippocampus art", "word 23"),
    ],
)
def test_wrong_words_are_refused_without_being_shown(words: str, message: str) -> None:
    with pytest.raises(RejectedInputError, match=message) as caught:
        OwnerKeys.from_mnemonic(words)
    assert "abandon" not in str(caught.value)
    assert "hippocampus" not in str(caught.value)


@pytest.mark.parametrize("index", [-1, 2**31])
def test_indices_out_of_range_are_refused(index: int) -> None:
    with pytest.raises(RejectedInputError):
        KEYS.control_key(index)
    with pytest.raises(RejectedInputError):
        KEYS.donor(index)


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, b"\x01", b""])
def test_bytes_that_are_no_signing_key_are_refused(secret: bytes) -> None:
    with pytest.raises(RejectedInputError):
        SigningKey.from_secret(SecretBytes(secret))


@given(digest=st.binary(min_size=32, max_size=32))
@settings(max_examples=25, deadline=None)
def test_a_signature_recovers_to_the_address(digest: bytes) -> None:
    key = KEYS.control_key(0)
    signature = key.sign_digest(digest)
    assert recover(digest, signature) == key.address


def test_keys_do_not_show_when_printed() -> None:
    shown = repr(KEYS) + repr(KEYS.control_key(0)) + repr(KEYS.stealth_keys()) + repr(KEYS.crypt4gh_identity())
    for secret in all_secrets(KEYS):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
