"""The analysis vector: one person's genotypes on a panel, two bits a site, and their private variants.

Integers are little-endian:

    "NEBULAVEC" version (u8)  panel id (32 bytes)  sites (u32)  private variants (u32)
    codes on the panel, packed  private keys (u64 each, ascending)  private codes, packed
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.chromosomes import NAMES
from nebula.genome.keys import chromosomes
from nebula.genome.matrix import MISSING, PackedMatrix
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.panel import Panel

SCHEMA_VERSION = 1
_MAGIC = b"NEBULAVEC" + bytes([SCHEMA_VERSION])
_HEAD = struct.Struct(f"<{len(_MAGIC)}s32sII")
_NO_KEYS = np.zeros(0, np.uint64)
_NO_KEYS.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisVector:
    """One person's codes: alternate alleles, 0 to 2, or 3 for missing; four to a byte, first in bits 0-1.

    Attributes:
        panel_id: of the panel whose sites the codes are of.
        sites: number of codes.
        codes: packed codes in panel order, ceil(sites / 4) bytes; zero behind the last site.
        private_keys: VariantKeys of carried variants off the panel, strictly ascending.
        private_codes: packed codes of these, each 1 or 2.
    """

    panel_id: str
    sites: int
    codes: bytes | memoryview
    private_keys: NDArray[np.uint64]
    private_codes: bytes

    def to_bytes(self) -> bytes:
        """Serialise."""
        head = _HEAD.pack(_MAGIC, bytes.fromhex(self.panel_id[2:]), self.sites, len(self.private_keys))
        keys = self.private_keys.astype("<u8").tobytes()
        return b"".join((head, self.codes, keys, self.private_codes))

    def counts(self) -> tuple[int, int, int, int]:
        """How many sites are hom-ref, het, hom-alt and missing."""
        hom_ref, het, hom_alt, missing = PackedMatrix(_row(self.codes), self.sites).counts()[0].tolist()
        return hom_ref, het, hom_alt, missing


def _row(packed: bytes | memoryview) -> NDArray[np.uint8]:
    return np.frombuffer(packed, np.uint8).reshape(1, -1)


def parse_vector(raw: bytes, panel: Panel) -> AnalysisVector:
    """Parse a vector that must be on ``panel``. Its codes are a view of ``raw``: a cohort's are read once, and moved.

    SECURITY: the owner, or whoever pretended to be one, made these bytes. All lengths follow from two numbers, and the
    whole must be exactly as long as they say before anything is taken.

    Raises:
        RejectedInputError: ``record.malformed``, or ``record.other-panel``.
    """
    if len(raw) < _HEAD.size:
        raise RejectedInputError("record.malformed", f"the vector ends too early, at byte {len(raw)}")
    magic, named, sites, private = _HEAD.unpack_from(raw)
    if magic != _MAGIC:
        raise RejectedInputError("record.malformed", f"the vector does not begin with {_MAGIC!r}")
    panel_id = "0x" + named.hex()
    if panel_id != panel.panel_id:
        raise RejectedInputError("record.other-panel", f"the vector is on panel {panel_id}, not {panel.panel_id}")
    if sites != panel.sites:
        raise RejectedInputError("record.malformed", f"{sites} sites where the panel has {panel.sites}")
    keys_at = _HEAD.size + panel.vector_bytes
    private_at = keys_at + 8 * private
    length = private_at + -(-private // 4)
    if len(raw) != length:
        raise RejectedInputError("record.malformed", f"the vector has {len(raw)} bytes where {length} belong")
    codes = memoryview(raw)[_HEAD.size : keys_at]
    _check_padding(codes, sites)
    if not private:
        return AnalysisVector(panel_id, sites, codes, _NO_KEYS, b"")
    keys = np.frombuffer(raw, "<u8", private, keys_at).astype(np.uint64)
    private_codes = raw[private_at:]
    _check_padding(private_codes, private)
    _check_private(keys, private_codes, panel)
    return AnalysisVector(panel_id, sites, codes, keys, private_codes)


def _check_padding(packed: bytes | memoryview, codes: int) -> None:
    if codes % 4 and packed[-1] >> (2 * (codes % 4)):
        raise RejectedInputError("record.malformed", "there are codes behind the last site")


def _check_private(keys: NDArray[np.uint64], packed: bytes, panel: Panel) -> None:
    named = chromosomes(keys)
    if (keys[1:] <= keys[:-1]).any() or named.min() == 0 or named.max() >= len(NAMES):
        raise RejectedInputError("record.malformed", "the private variants do not ascend on chromosomes")
    known = panel.locate(keys) >= 0
    if (known & (keys & np.uint64(1) == 0)).any():
        raise RejectedInputError("record.malformed", "a private variant is on the panel")
    hom_ref, _, _, missing = PackedMatrix(_row(packed), len(keys)).counts()[0]
    if hom_ref or missing:
        raise RejectedInputError("record.malformed", f"a private variant is carried: code 1 or 2, not 0 or {MISSING}")
