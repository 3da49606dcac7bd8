"""Real or simulated: read off the trust root's fingerprint alone, by everyone in the same way."""

from typing import Final

from nebula.protocol.ids import Hash32

INTEL_SGX_ROOT: Final[Hash32] = "0x44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"
"""SHA-256 of the certificate (DER) that real hardware's quotes end at."""


def is_simulated(trust_root: Hash32) -> bool:
    """Whether quotes under this trust root come from simulated hardware: every root but Intel's."""
    return trust_root != INTEL_SGX_ROOT
