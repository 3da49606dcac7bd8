"""The owner's 24 words, kept on disk under a pass phrase.

scrypt (RFC 7914) makes a key of the pass phrase, ChaCha20-Poly1305 encrypts the words under it. The file is
written whole or not at all, and readable by its owner alone.
"""

import secrets
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from nebula.files import write_new
from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.keys import OwnerKeys, check_mnemonic
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import Document, parser, to_canonical

FILE_NAME = "seed.json"
_COST, _BLOCK, _PARALLEL = 2**15, 8, 1  # 32 MiB and about a tenth of a second
_NONCE = bytes(12)  # the key is fresh with every salt, and encrypts once


class SeedFile(Document, frozen=True, kw_only=True):
    """The file's form."""

    schema: Literal[1] = 1
    derivation: Literal["scrypt-32768-8-1"] = "scrypt-32768-8-1"
    salt: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    sealed: Annotated[bytes, msgspec.Meta(min_length=32, max_length=1000)]


_parse = parser(SeedFile)


def save_seed(folder: Path, words: str, pass_phrase: SecretBytes) -> None:
    """Write the words under a pass phrase; an existing seed is never replaced.

    Raises:
        RejectedInputError: the words are no valid mnemonic, or the folder has a seed already.
    """
    content = check_mnemonic(words).encode()
    salt = secrets.token_bytes(32)
    sealed = ChaCha20Poly1305(_key(pass_phrase, salt)).encrypt(_NONCE, content, salt)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        write_new(folder / FILE_NAME, to_canonical(SeedFile(salt=salt, sealed=sealed)), mode=0o600)
    except FileExistsError as error:
        raise RejectedInputError(
            "vault.exists", f"{folder} has a vault already", hint="choose another folder; a seed is never replaced"
        ) from error


def read_seed(folder: Path) -> SeedFile:
    """Read a vault's seed, which is sealed still.

    Raises:
        RejectedInputError: there is no vault in the folder, or its seed file is damaged.
    """
    try:
        return _parse((folder / FILE_NAME).read_bytes())
    except FileNotFoundError as error:
        raise RejectedInputError(
            "vault.missing", f"there is no vault in {folder}", hint="make one with `nebula vault init`"
        ) from error


def open_seed(seed: SeedFile, pass_phrase: SecretBytes) -> OwnerKeys:
    """Open a seed and return the owner's keys.

    Raises:
        NotPermittedError: the pass phrase is another one.
    """
    try:
        words = ChaCha20Poly1305(_key(pass_phrase, seed.salt)).decrypt(_NONCE, seed.sealed, seed.salt)
    except InvalidTag as error:
        raise NotPermittedError(
            "vault.pass-phrase",
            "this pass phrase does not open the vault",
            hint="the 24 words do: `nebula vault restore --vault ANOTHER-FOLDER`",
        ) from error
    return OwnerKeys.from_mnemonic(words.decode())


def load_keys(folder: Path, pass_phrase: SecretBytes) -> OwnerKeys:
    """Return the keys of the vault in a folder; raises as :func:`read_seed` and :func:`open_seed` do."""
    return open_seed(read_seed(folder), pass_phrase)


def _key(pass_phrase: SecretBytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_PARALLEL).derive(pass_phrase.reveal())
