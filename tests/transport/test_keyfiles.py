import stat
from pathlib import Path

import pytest

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.secrets import SecretBytes
from nebula.transport.keyfiles import load_key, save_key

KEY = SecretBytes(bytes(range(32)))


def test_a_key_comes_back_and_is_its_partys_alone(tmp_path: Path) -> None:
    save_key(tmp_path / "keys" / "signing", KEY)

    assert load_key(tmp_path / "keys" / "signing") == KEY
    assert stat.S_IMODE((tmp_path / "keys" / "signing").stat().st_mode) == 0o600


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    save_key(tmp_path / "key", KEY)

    with pytest.raises(RejectedInputError):
        save_key(tmp_path / "key", SecretBytes(bytes(32)))
    assert load_key(tmp_path / "key") == KEY


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    save_key(tmp_path / "key", KEY)
    (tmp_path / "key").chmod(0o640)

    with pytest.raises(RejectedInputError) as caught:
        load_key(tmp_path / "key")
    assert caught.value.hint is not None
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"zz" * 32, b"\xff" * 32])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(RejectedInputError):
        load_key(path)
