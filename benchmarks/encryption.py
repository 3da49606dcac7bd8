"""How fast files and parts are sealed, opened, shared and released, on one thread, with the peers beside us.

    python benchmarks/encryption.py

Processor time, medians of rounds in which all take turns. A large file is one that is mapped into memory; "read" is
one that is read piece by piece, as the vault does; the peer reads it as it always does. All write to nowhere, so that
no disk is measured. The cipher alone is OpenSSL's own measure of itself: like against like, on one block as large as
the file, which comes from memory, and on one that stays in the cache, beside ours on such a block, for about a second
as well: what a virtual machine loses to its neighbours falls on both.
"""

import contextlib
import io
import mmap
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from Crypto.Protocol.SecretSharing import Shamir
from measuring import leave_on_disk, own_time, row, take_turns, tool_version, write_results

from crypt4gh import lib as peer
from nebula.crypt4gh import (
    decrypt,
    decrypt_stream,
    encrypt,
    encrypt_stream,
    generate_data_key,
    open_header,
    open_part,
    parse_header,
    seal_part,
)
from nebula.crypt4gh.segments import SEALED_SEGMENT_BYTES, SEGMENT_BYTES, SegmentCipher
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.sealing import SealingKey, open_sealed, seal
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.sharing import combine_checked, key_digest, split

BODY_BYTES = 256 << 20
BODIES_A_SECOND = 10
PART_BYTES = 1_900_000
ROUNDS = 7

OWNER = SealingKey.generate()


def main() -> None:
    """Print every figure, one a line."""
    bodies()
    parts()
    shares()
    keys()


def bodies() -> None:
    """Large files, ours, the reference implementation's, and the cipher alone."""
    plaintext = os.urandom(BODY_BYTES)
    raw = encrypt(plaintext, [OWNER.public_key])
    secret = OWNER.secret.reveal()
    with Path(os.devnull).open("wb", buffering=0) as nowhere, tempfile.TemporaryDirectory() as folder:
        plain, sealed = Path(folder) / "plain", Path(folder) / "sealed"
        plain.write_bytes(plaintext)
        sealed.write_bytes(raw)
        for file in (plain, sealed):
            leave_on_disk(file)
        figures = take_turns(
            ROUNDS,
            {
                "encrypt": lambda: mapped(plain, lambda view: encrypt_stream(view, nowhere, [OWNER.public_key])),
                "decrypt": lambda: mapped(sealed, lambda view: decrypt_stream(view, nowhere, OWNER)),
                "encrypt, read": lambda: opened(plain, lambda file: encrypt_stream(file, nowhere, [OWNER.public_key])),
                "decrypt, read": lambda: opened(sealed, lambda file: decrypt_stream(file, nowhere, OWNER)),
                "encrypt, into fresh memory": lambda: own_time(lambda: encrypt(plaintext, [OWNER.public_key])),
                "decrypt, into fresh memory": lambda: own_time(lambda: decrypt(raw, OWNER)),
                "peer, encrypt": lambda: opened(
                    plain, lambda file: peer.encrypt([(0, secret, OWNER.public_key)], file, nowhere)
                ),
                "peer, decrypt": lambda: opened(sealed, lambda file: peer.decrypt([(0, secret, None)], file, nowhere)),
                "encrypt, in cache": lambda: own_time(seal_in_cache) / BODIES_A_SECOND,
                "decrypt, in cache": lambda: own_time(open_in_cache) / BODIES_A_SECOND,
                "openssl speed, from memory": lambda: BODY_BYTES / openssl_bytes_per_second(BODY_BYTES),
                "openssl speed, in cache": lambda: BODY_BYTES / openssl_bytes_per_second(SEGMENT_BYTES),
            },
        )
    rows = [
        row(f"{way} {against}", figures[ours.format(way)].median, figures[other.format(way)].median, bar)
        for way in ("encrypt", "decrypt")
        for against, ours, other, bar in (
            ("PyPI crypt4gh", "{}", "peer, {}", 2.5),
            ("openssl speed, from memory", "{}", "openssl speed, from memory", 0.85),
            ("openssl speed, in cache", "{}, in cache", "openssl speed, in cache", 0.85),
        )
    ]
    peers = {"crypt4gh": version("crypt4gh"), "openssl": tool_version("openssl", "version")}
    write_results("encryption", {"bytes": BODY_BYTES, "peers": peers, "figures": figures, "rows": rows})


PLAIN = memoryview(os.urandom(4 * SEGMENT_BYTES))
SEALED = memoryview(bytearray(4 * SEALED_SEGMENT_BYTES))
CIPHER = SegmentCipher([generate_data_key()])


def seal_in_cache() -> None:
    """Seal the same segments again and again, for about a second."""
    for _ in range(BODIES_A_SECOND * BODY_BYTES // len(PLAIN)):
        CIPHER.seal_into(PLAIN, SEALED)


def open_in_cache() -> None:
    """Open the same segments again and again, for about a second."""
    plain = memoryview(bytearray(len(PLAIN)))
    for _ in range(BODIES_A_SECOND * BODY_BYTES // len(PLAIN)):
        CIPHER.open_into(SEALED, plain)


def mapped(path: Path, work: Callable[[memoryview], object]) -> float:
    """Time some work on a file that is mapped into memory."""
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory,
        memoryview(memory) as view,
    ):
        if hasattr(mmap, "MADV_HUGEPAGE"):
            memory.madvise(mmap.MADV_HUGEPAGE)
        return own_time(lambda: work(view))


def opened(path: Path, work: Callable[[BinaryIO], object]) -> float:
    """Time some work on an open file."""
    with path.open("rb") as file, contextlib.redirect_stderr(io.StringIO()):
        return own_time(lambda: work(file))


def openssl_bytes_per_second(block_bytes: int) -> float:
    """What OpenSSL says of its cipher on blocks of this size, by its own processor time."""
    command = f"openssl speed -mr -evp chacha20-poly1305 -bytes {block_bytes} -seconds 1".split()
    last = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    return float(last.rpartition(":")[2])


def parts() -> None:
    """One packed genome, and one header."""
    part = seal_part(os.urandom(PART_BYTES), OWNER.public_key)
    duration("open a header", lambda: open_header(parse_header(part.raw), OWNER), 200)
    duration(
        "open a part of 1.9 MB and check it",
        lambda: open_part(part.raw, part.data_key, part.digest, part.length_bytes),
        20,
    )


def shares() -> None:
    """What a keeper does per record, and what an enclave does with it."""
    key = SecretBytes(os.urandom(32))
    three, digest = split(key, 2, 3), key_digest(key)
    info, aad = b"nebula/benchmark/1", b"record"
    sealed = seal(OWNER.public_key, three[0].value, info=info, aad=aad)

    def release() -> None:
        share = open_sealed(OWNER, sealed, info=info, aad=aad)
        seal(OWNER.public_key, share, info=info, aad=aad)

    duration("unseal and seal a share again", release, 200)
    duration("split a data key, 2 of 3", lambda: split(key, 2, 3), 100)
    duration("combine a data key and check it", lambda: combine_checked(three[:2], 2, digest), 200)
    halves = [[(s.index, s.value.reveal()[at : at + 16]) for s in three[:2]] for at in (0, 16)]
    duration("  peer, unchecked", lambda: [Shamir.combine(half, ssss=False) for half in halves], 20)


def keys() -> None:
    """All keys of one of a custodian's donors."""
    custodian = OwnerKeys.from_mnemonic(generate_mnemonic())

    def derive() -> None:
        donor = custodian.donor(7)
        donor.control_key(0)
        donor.crypt4gh_identity()
        donor.stealth_keys()

    duration("derive a donor's keys", derive, 50)


def duration(what: str, work: Callable[[], object], repeats: int) -> None:
    """Print the time of one go, and how many go into a second."""
    best, median = measure(work, repeats)
    print(f"{what:36} {best * 1e6:9.1f} µs     (median {median * 1e6:.1f}; {1 / median:,.0f}/s)")


def measure(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the best and the median CPU seconds of one go over several rounds."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(repeats):
            work()
        times.append((time.process_time() - start) / repeats)
    return min(times), statistics.median(times)


if __name__ == "__main__":
    main()
