import stat
from pathlib import Path

import pytest

from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.secrets import SecretBytes
from nebula.vault.seed import load_keys, save_seed

PASS_PHRASE = SecretBytes(b"correct horse")


def test_the_pass_phrase_brings_the_keys_back(tmp_path: Path) -> None:
    words = generate_mnemonic()
    save_seed(tmp_path / "vault", words, PASS_PHRASE)

    keys = load_keys(tmp_path / "vault", PASS_PHRASE)

    assert keys.control_key(0).address == OwnerKeys.from_mnemonic(words).control_key(0).address


def test_the_file_shows_nothing_and_is_its_owners_alone(tmp_path: Path) -> None:
    words = generate_mnemonic()
    save_seed(tmp_path, words, PASS_PHRASE)
    path = tmp_path / "seed.json"

    assert not any(word.encode() in path.read_bytes() for word in words.split() if len(word) > 5)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["seed.json"]


def test_another_pass_phrase_opens_nothing(tmp_path: Path) -> None:
    save_seed(tmp_path, generate_mnemonic(), PASS_PHRASE)

    with pytest.raises(NotPermittedError):
        load_keys(tmp_path, SecretBytes(b"wrong"))


def test_a_seed_is_never_replaced(tmp_path: Path) -> None:
    save_seed(tmp_path, generate_mnemonic(), PASS_PHRASE)
    before = (tmp_path / "seed.json").read_bytes()

    with pytest.raises(RejectedInputError):
        save_seed(tmp_path, generate_mnemonic(), PASS_PHRASE)
    assert (tmp_path / "seed.json").read_bytes() == before


def test_an_altered_or_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedInputError):
        load_keys(tmp_path, PASS_PHRASE)
    (tmp_path / "seed.json").write_bytes(b"{}")
    with pytest.raises(RejectedInputError):
        load_keys(tmp_path, PASS_PHRASE)
