from pathlib import Path

import numpy as np
import pytest

from genome.vcf_text import refused, source
from nebula.genome.inflate import Source
from nebula.genome.liftover import read_chain

CHAIN = b"""chain 9 chr1 1000 + 100 160 chr2 500 + 10 75 1
20 5 10
35

chain 8 chr1 1000 + 200 210 chr3 300 - 50 60 2
10
"""


def test_positions_move_with_their_block_and_gaps_go_nowhere() -> None:
    chain = read_chain(source(CHAIN, "chain"))
    pos = np.array([100, 101, 120, 121, 126, 160, 161])
    lifted = chain.lift(np.ones(7, np.int64), pos)
    assert lifted.chromosome.tolist() == [0, 2, 2, 0, 2, 2, 0]
    assert lifted.pos.tolist() == [0, 11, 30, 0, 41, 75, 0]
    assert not lifted.flipped.any()


def test_a_minus_strand_runs_backwards() -> None:
    lifted = read_chain(source(CHAIN, "chain")).lift(np.array([1, 1]), np.array([201, 210]))
    assert (lifted.chromosome.tolist(), lifted.pos.tolist(), lifted.flipped.all()) == ([3, 3], [250, 241], True)


@pytest.mark.parametrize(
    "raw",
    [
        b"20 5 10\n",
        b"chain 1 2\n",
        CHAIN.replace(b"20 5 10", b"20 -5 10"),
        CHAIN.replace(b"20", b"x"),
        CHAIN + CHAIN,
        CHAIN.replace(b"35", b"9" * 30),
        CHAIN.replace(b"500 + 10", b"500 + -10"),
        CHAIN.replace(b"300 -", b"59 -"),
    ],
)
def test_a_malformed_chain_is_refused_with_its_line(raw: bytes) -> None:
    error = refused(lambda: read_chain(source(raw, "chain")))
    assert error is not None
    assert error.code == "chain.malformed"


def test_known_positions_land_where_ucsc_says(shared_data: Path) -> None:
    with (shared_data / "reference/hg19ToHg38.over.chain.gz").open("rb") as file:
        chain = read_chain(Source(file, kind="chain"))
    # rs4970383 and rs1801133 in dbSNP on both assemblies.
    lifted = chain.lift(np.array([1, 1]), np.array([838_555, 11_856_378]))
    assert lifted.pos.tolist() == [903_175, 11_796_321]
