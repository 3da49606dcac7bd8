"""GA4GH Crypt4GH 1.0: files that only their recipients can read, from any place in them.

Pure: bytes and open binary files in, bytes and open binary files out. Keys with pass phrases are in
:mod:`nebula.crypt4gh.keyfile`, apart because an enclave never reads one.
"""

from nebula.crypt4gh.errors import AlteredError, KeyFileError, MalformedFileError, NotARecipientError
from nebula.crypt4gh.header import Header, SealedHeader, make_header, open_header, parse_header, read_header
from nebula.crypt4gh.part import SealedPart, data_key_of, open_part, part_digest, seal_part
from nebula.crypt4gh.reading import PlainReader
from nebula.crypt4gh.recipients import add_recipients, reencrypt, reencrypt_stream, rewrite_header
from nebula.crypt4gh.whole import (
    Encrypted,
    decrypt,
    decrypt_stream,
    decrypt_with_data_key,
    encrypt,
    encrypt_stream,
    generate_data_key,
)

__all__ = [
    "AlteredError",
    "Encrypted",
    "Header",
    "KeyFileError",
    "MalformedFileError",
    "NotARecipientError",
    "PlainReader",
    "SealedHeader",
    "SealedPart",
    "add_recipients",
    "data_key_of",
    "decrypt",
    "decrypt_stream",
    "decrypt_with_data_key",
    "encrypt",
    "encrypt_stream",
    "generate_data_key",
    "make_header",
    "open_header",
    "open_part",
    "parse_header",
    "part_digest",
    "read_header",
    "reencrypt",
    "reencrypt_stream",
    "rewrite_header",
    "seal_part",
]
