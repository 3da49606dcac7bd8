"""How fast parts are sealed, opened, shared and released, on one thread, in CPU time, with the peers beside us.

Run it with ``python benchmarks/encryption.py``. Each figure is the best of several rounds; how far the median
lies from it says how noisy the machine is.
"""

import contextlib
import io
import os
import statistics
import time
from collections.abc import Callable

from Crypto.Protocol.SecretSharing import Shamir

from crypt4gh import lib as peer
from nebula.crypt4gh import decrypt, encrypt, open_header, open_part, parse_header, seal_part
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.sealing import SealingKey, open_sealed, seal
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.sharing import combine_checked, key_digest, split

BODY_BYTES = 64 << 20
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
    """Whole files in memory, in GB/s, ours and the reference implementation's."""
    plaintext = os.urandom(BODY_BYTES)
    raw = encrypt(plaintext, [OWNER.public_key])
    secret = OWNER.secret.reveal()
    rate("encrypt 64 MiB", lambda: encrypt(plaintext, [OWNER.public_key]))
    rate("  peer", lambda: peer.encrypt([(0, secret, OWNER.public_key)], io.BytesIO(plaintext), io.BytesIO()))
    rate("decrypt 64 MiB", lambda: decrypt(raw, OWNER))
    rate("  peer", lambda: peer.decrypt([(0, secret, None)], io.BytesIO(raw), io.BytesIO()))


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


def rate(what: str, work: Callable[[], object]) -> None:
    """Print the throughput of one go over the body."""
    with contextlib.redirect_stderr(io.StringIO()):
        best, median = measure(work, 1)
    print(f"{what:36} {BODY_BYTES / best / 1e9:9.2f} GB/s   (median {BODY_BYTES / median / 1e9:.2f})")


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
