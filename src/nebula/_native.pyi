# The fast core, written in Rust: native/

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

# Strings of which few are different: each one's number; content of the different ones, and one offset more than these.
_Texts: TypeAlias = tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int32]]

def assemble_private(
    keys: Sequence[NDArray[np.uint64]], codes: Sequence[NDArray[np.uint8]]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]: ...
def counts(packed: NDArray[np.uint8], samples: int) -> NDArray[np.int64]: ...
def number_texts(content: NDArray[np.uint8], offsets: NDArray[np.int32]) -> _Texts: ...
def pack(dosage: NDArray[np.int8]) -> NDArray[np.uint8]: ...
def place(vectors: Sequence[NDArray[np.uint8]], sites: int, matrix: NDArray[np.uint8], first: int) -> None: ...
def keep_samples(packed: NDArray[np.uint8], samples: int, columns: NDArray[np.int64]) -> None: ...
def select_samples(packed: NDArray[np.uint8], samples: int, columns: NDArray[np.int64]) -> NDArray[np.uint8]: ...
def unpack(packed: NDArray[np.uint8], samples: int) -> NDArray[np.int8]: ...
def genotypes_times(
    packed: NDArray[np.uint8], lines: NDArray[np.float64], columns: NDArray[np.float64], threads: int
) -> NDArray[np.float64]: ...
def transposed_genotypes_times(
    packed: NDArray[np.uint8], samples: int, lines: NDArray[np.float64], columns: NDArray[np.float64], threads: int
) -> NDArray[np.float64]: ...
def hardy_weinberg(counts: NDArray[np.int64], mid: bool) -> NDArray[np.float64]: ...
def kinship_pairs(
    packed: NDArray[np.uint8], samples: int, minimum: float, threads: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]: ...
def linear_scan(
    packed: NDArray[np.uint8], basis: NDArray[np.float64], residuals: NDArray[np.float64], threads: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]: ...
def fitting_bases(
    keys: NDArray[np.uint64], wanted: NDArray[np.uint64], sites: NDArray[np.int32]
) -> tuple[int, int]: ...
def locate(keys: NDArray[np.uint64], wanted: NDArray[np.uint64], ignored_bits: int) -> NDArray[np.int32]: ...
def put_at_sites(matrix: NDArray[np.uint8], sites: NDArray[np.int32], packed: NDArray[np.uint8]) -> None: ...
def logistic_scan(
    packed: NDArray[np.uint8],
    design: NDArray[np.float64],
    case: NDArray[np.float64],
    null: NDArray[np.float64],
    threshold: float,
    threads: int,
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.uint8],
    NDArray[np.uint8],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
]: ...
def match_markers(
    keys: NDArray[np.uint64],
    chromosome: NDArray[np.uint8],
    pos: NDArray[np.int32],
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    plus_strand: bool,
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.bool_], tuple[int, int, int, int, int, int]]: ...
def prune_linked(
    packed: NDArray[np.uint8], samples: int, window: int, step: int, threshold: float
) -> NDArray[np.bool_]: ...
def transpose_matrix(packed: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]: ...
def inflate_blocks(raw: bytes) -> tuple[bytes, int, bool]: ...
def variant_key(chromosome: int, pos: int, reference: bytes, alternate: bytes) -> int: ...
def variant_keys(
    chromosome: NDArray[np.uint8], pos: NDArray[np.int32], reference: _Texts, alternate: _Texts
) -> NDArray[np.uint64]: ...
def align_variants(
    reference: ReferenceLines,
    contigs: Sequence[str],
    places: tuple[NDArray[np.uint16], NDArray[np.int32]],
    alleles: tuple[_Texts, _Texts],
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32], _Texts, _Texts]: ...
def reference_bases(
    reference: ReferenceLines, contigs: Sequence[str], places: tuple[NDArray[np.uint16], NDArray[np.int32]]
) -> NDArray[np.uint8]: ...

class ParseError(ValueError): ...

class MarkerParser:
    OF_ONE_LINE: ClassVar[list[str]]
    left_out: list[tuple[str, int, int, str, str]]

    def __init__(self, roles: Sequence[str], separator: int, heading: bytes, lines: int, lenient: bool) -> None: ...
    def parse(
        self, piece: bytes
    ) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint8]]: ...

class VcfBatch:
    contig: NDArray[np.uint16]
    pos: NDArray[np.int32]
    key: NDArray[np.uint64]
    reference: _Texts
    alternate: _Texts
    filter: NDArray[np.uint16]
    codes: NDArray[np.uint8]
    forms: NDArray[np.uint8]
    depth: NDArray[np.int32]
    quality: NDArray[np.int32]
    line: NDArray[np.uint32]
    blocks: NDArray[np.int64]
    records: int
    genotyped: int
    other_alleles: int
    repetitions: int
    half_calls: int
    polyploid_calls: int
    filtered_calls: int
    unreferenced: int

class BcfDecoder:
    def __init__(
        self,
        strings: Sequence[str],
        contigs: Sequence[str],
        flags: set[str],
        samples: int,
        header_lines: int,
        longest: int,
    ) -> None: ...
    def decode(self, piece: bytes) -> tuple[bytes, int]: ...

class ReferenceLines(Protocol):
    def layout(self, contig: str) -> tuple[int, int, int] | None: ...
    def lines(self, contig: str, first: int, count: int) -> bytes | memoryview: ...
    @property
    def window_bytes(self) -> int: ...

class VcfParser:
    def __init__(
        self,
        samples: Sequence[str],
        info: Sequence[tuple[str, str, str, bool, bool, bool]],
        format: Sequence[tuple[str, str, str, bool, bool, bool]],  # noqa: A002
        contigs: Mapping[str, int | None],
        minor: int,
        header_lines: int,
        lenient: bool,
        reference: ReferenceLines | None = None,
    ) -> None: ...
    @property
    def line(self) -> int: ...
    @property
    def tallies(self) -> list[tuple[str, bool, int, int, str, str]]: ...
    @property
    def contigs(self) -> list[str]: ...
    @property
    def filters(self) -> list[str]: ...
    def parse(self, begun: bytes, piece: bytes, end: int) -> int: ...
    def expect(self, rows: int) -> None: ...
    def take(self) -> VcfBatch: ...
