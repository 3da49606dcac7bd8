"""A secret leaves only through reveal()."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict, dataclass

import msgspec
import pytest

from nebula.protocol.secrets import SecretBytes

VALUE = b"\x01correct horse battery staple"
SHAPES = ["{}", "{!r}", "{!s}", "{!a}", "{:>40}", "{:x}"]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_way_of_formatting_shows_the_bytes(shape: str) -> None:
    assert "horse" not in shape.format(SecretBytes(VALUE))


def test_containers_logs_and_tracebacks_do_not_show_the_bytes(caplog: pytest.LogCaptureFixture) -> None:
    secret = SecretBytes(VALUE)
    logging.getLogger("nebula").warning("%s %r %s", secret, secret, {"key": [secret]})
    assert "horse" not in caplog.text
    assert "horse" not in "".join(traceback.format_exception(ValueError(secret)))


def test_reveal_gives_the_bytes_and_len_their_number() -> None:
    assert SecretBytes(VALUE).reveal() == VALUE
    assert SecretBytes(bytearray(VALUE)).reveal() == VALUE
    assert len(SecretBytes(VALUE)) == len(VALUE)


def test_equality_is_by_value_and_only_with_secrets() -> None:
    assert SecretBytes(VALUE) == SecretBytes(VALUE)
    assert SecretBytes(VALUE) != SecretBytes(VALUE + b"!")
    assert SecretBytes(VALUE) != VALUE


@pytest.mark.parametrize(
    "leak",
    [
        pickle.dumps,
        json.dumps,
        msgspec.json.encode,
        msgspec.msgpack.encode,
        msgspec.to_builtins,
        bytes,
        hash,
        list,
        memoryview,
        vars,
    ],
)
def test_nothing_serialises_hashes_or_iterates_a_secret(leak: object) -> None:
    with pytest.raises(TypeError):
        leak(SecretBytes(VALUE))  # type: ignore[operator]


def test_no_hex_and_no_attribute_can_be_set_or_deleted() -> None:
    secret = SecretBytes(VALUE)
    assert not hasattr(secret, "hex")
    assert not hasattr(secret, "__dict__")
    with pytest.raises(AttributeError):
        secret._value = b""
    with pytest.raises(AttributeError):
        del secret._value


def test_a_copy_is_the_secret_itself_so_that_dataclasses_keep_it_hidden() -> None:
    @dataclass(frozen=True)
    class Holder:
        key: SecretBytes

    secret = SecretBytes(VALUE)
    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret
    assert "horse" not in str(asdict(Holder(secret)))
