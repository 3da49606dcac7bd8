r"""A panel: the ordered list of sites on which genotypes are stored packed.

Its identity is the SHA-256 of its one serialisation, so two parties that name the same panel mean the same
sites in the same order. Serialised, integers little-endian, every text with its length (u16) before it:

    "NEBULAPANEL\x01"  name  version  assembly  sites (u64)  keys (u64 each, ascending)
    hashed sites (u32), for each: key (u64)  REF  ALT
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula import _native
from nebula.genome import keys as variant_keys
from nebula.genome.bytereader import ByteReader
from nebula.genome.chromosomes import ASSEMBLIES, NAMES
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_MAGIC = b"NEBULAPANEL\x01"
_MOST_SITES = 100_000_000


class Site(NamedTuple):
    """One variant: 1-based position, upper-case alleles."""

    chromosome: str
    pos: int
    reference: str
    alternate: str


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """An ordered, content-hashed list of sites.

    Attributes:
        name: what people call it.
        version: of the panel; another version is another panel.
        assembly: of its positions: NCBI36, GRCh37 or GRCh38.
        keys: VariantKeys, strictly ascending, shape (sites,).
        long_alleles: REF and ALT of the sites whose keys are hashed.
        panel_id: ``0x`` and the SHA-256 of ``to_bytes()``.

    Raises:
        RejectedInputError: ``panel.*`` where that does not hold.
    """

    name: str
    version: str
    assembly: str
    keys: NDArray[np.uint64]
    long_alleles: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    panel_id: str = field(init=False)

    def __post_init__(self) -> None:
        if self.assembly not in ASSEMBLIES:
            raise RejectedInputError("panel.assembly", f"the assembly is one of {', '.join(ASSEMBLIES)}")
        keys = np.ascontiguousarray(self.keys, dtype=np.uint64)
        if not 0 < len(keys) <= _MOST_SITES:
            raise RejectedInputError("panel.sites", f"a panel has 1 to {_MOST_SITES} sites")
        codes = variant_keys.chromosomes(keys)
        if (keys[1:] <= keys[:-1]).any() or codes.min() == 0 or codes.max() >= len(NAMES):
            raise RejectedInputError("panel.sites", "a panel's keys ascend, each once, on chromosomes")
        hashed = {int(key) for key in keys[variant_keys.hashed(keys)]}
        spelt_right = all(
            variant_keys.variant_key(*_place(key), *alleles) == key for key, alleles in self.long_alleles.items()
        )
        if hashed != set(self.long_alleles) or not spelt_right:
            raise RejectedInputError("panel.sites", "the alleles of hashed sites do not belong to their keys")
        keys.flags.writeable = False
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "panel_id", "0x" + hashlib.sha256(self.to_bytes()).hexdigest())

    @property
    def sites(self) -> int:
        """Number of sites."""
        return len(self.keys)

    @property
    def vector_bytes(self) -> int:
        """Length of a packed vector on this panel."""
        return -(-self.sites // 4)

    def chromosomes(self) -> NDArray[np.uint8]:
        """Chromosome codes (sites,): 1 to 22, X = 23, Y = 24, MT = 25."""
        return variant_keys.chromosomes(self.keys)

    def positions(self) -> NDArray[np.int32]:
        """1-based positions (sites,)."""
        return variant_keys.positions(self.keys)

    def site(self, row: int) -> Site:
        """One site."""
        key = int(self.keys[row])
        alleles = self.long_alleles[key] if key & 1 else variant_keys.spelt_alleles(key)
        return Site(*_place(key), *alleles)

    def alleles(self) -> tuple[list[str], list[str]]:
        """REF and ALT of all sites."""
        # Nearly all sites share a few pairs of bases: decode each pair once.
        codes, inverse = np.unique(self.keys & np.uint64((1 << 31) - 1), return_inverse=True)
        spelt = [variant_keys.spelt_alleles(int(code)) if not int(code) & 1 else ("", "") for code in codes]
        pairs = [spelt[index] for index in inverse]
        for row in np.flatnonzero(variant_keys.hashed(self.keys)):
            pairs[row] = self.long_alleles[int(self.keys[row])]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def locate(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The rows of some variants by their keys, -1 where the panel lacks one.

        A hashed key may, by chance or design, belong to other alleles: who has them compares.
        """
        return _native.locate(self.keys, np.ascontiguousarray(keys), 0)

    def locate_places(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The first row at the place of each key, whatever its alleles; -1 where the panel has no site there."""
        return _native.locate(self.keys, np.ascontiguousarray(keys), variant_keys.ALLELE_BITS)

    def bases_at(self, keys: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """The first base of REF at the place of each key, as a letter; 0 where the panel does not tell it.

        Whatever the lengths of alleles; hashed ones do not tell it.
        """
        rows = self.locate_places(keys)
        found: NDArray[np.uint8] = variant_keys.spelt_base(self.keys.take(rows, mode="clip"), 0)
        return np.where(rows >= 0, found, np.uint8(0))

    def fitting_bases(self, keys: NDArray[np.uint64], sites: NDArray[np.int32]) -> tuple[int, int]:
        """How many single bases stand where the panel tells the first base of REF, and how many of them have it.

        ``sites`` are those of the keys, as ``locate`` says: these stand there, and have it.
        """
        return _native.fitting_bases(self.keys, np.ascontiguousarray(keys), sites)

    def to_bytes(self) -> bytes:
        """The panel's one serialisation."""
        parts = [_MAGIC, *map(_text, (self.name, self.version, self.assembly)), struct.pack("<Q", self.sites)]
        parts += [self.keys.astype("<u8").tobytes(), struct.pack("<I", len(self.long_alleles))]
        for key in sorted(self.long_alleles):
            parts += [struct.pack("<Q", key), *map(_text, self.long_alleles[key])]
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Panel:
        """Parse ``to_bytes()``, strictly.

        Raises:
            RejectedInputError: ``panel.*``.
        """
        reader = ByteReader(raw, "panel.malformed", "the panel")
        reader.expect(_MAGIC)
        name, version, assembly = (reader.text() for _ in range(3))
        sites = reader.number(8)
        keys = np.frombuffer(reader.take(8 * sites), "<u8")
        long_alleles = {}
        for _ in range(reader.number(4)):
            key = reader.number(8)
            long_alleles[key] = (reader.text(), reader.text())
        reader.end()
        panel = cls(name, version, assembly, keys, long_alleles)
        if panel.to_bytes() != raw:
            raise RejectedInputError("panel.malformed", "the panel is not in its one serialisation")
        return panel


def _text(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) >= 1 << 16:
        raise RejectedInputError("panel.text", "a name or an allele is longer than 65,535 bytes")
    return struct.pack("<H", len(encoded)) + encoded


def _place(key: int) -> tuple[str, int]:
    return NAMES[min(key >> 59, len(NAMES) - 1)], ((key >> 31) & ((1 << 28) - 1)) + 1
