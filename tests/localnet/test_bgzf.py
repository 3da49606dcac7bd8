import gzip
import io

from hypothesis import given
from hypothesis import strategies as st

from nebula.genome.inflate import Source
from nebula.localnet.bgzf import BLOCK_BYTES, BgzfWriter, compress


@given(st.lists(st.binary(max_size=100).map(lambda some: some * 900), max_size=5))
def test_content_written_in_pieces_is_the_same_file_and_reads_back_whole(pieces: list[bytes]) -> None:
    file = io.BytesIO()
    writer = BgzfWriter(file, level=1)
    for piece in pieces:
        writer.write(piece)
    writer.close()
    content = b"".join(pieces)
    assert file.getvalue() == compress(content, level=1)
    assert gzip.decompress(file.getvalue()) == content
    if content:
        assert b"".join(Source(io.BytesIO(file.getvalue())).pieces()) == content


def test_a_block_that_is_just_full_is_followed_by_the_end_alone() -> None:
    assert len(compress(b"a" * BLOCK_BYTES)) < len(compress(b"a" * (BLOCK_BYTES + 1)))
