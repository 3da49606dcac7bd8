import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.report import files_digest
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.ids import to_hex
from nebula.protocol.result import ResultBundle, open_result, result_digest
from nebula.protocol.study import ResultClass
from nebula.protocol.wire import to_canonical


def bundle(files: dict[str, bytes]) -> ResultBundle:
    return ResultBundle(
        study="0x" + "01" * 32,
        run="0x" + "02" * 32,
        analysis="gwas-linear@1",
        result_class=ResultClass.HITS,
        files=files,
    )


@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=50), max_size=5))
def test_a_results_digest_is_that_of_its_files(files: dict[str, bytes]) -> None:
    assert result_digest(files) == to_hex(files_digest(files))


def test_a_result_opens_under_its_own_digest_alone() -> None:
    raw = to_canonical(bundle({"hits.tsv": b"a", "summary.json": b'{"hits":1}'}))
    digest = result_digest({"hits.tsv": b"a", "summary.json": b'{"hits":1}'})

    assert open_result(raw, expected_digest=digest).summary == {"hits": 1}
    with pytest.raises(IntegrityError):
        open_result(raw, expected_digest="0x" + "00" * 32)


@pytest.mark.parametrize("name", ["../evil.tsv", "/etc/passwd", "a/b.tsv", ".bashrc", "no-ending", "A.tsv", ""])
def test_a_files_name_is_never_a_path(name: str) -> None:
    raw = to_canonical(bundle({name: b"x"}))

    with pytest.raises(RejectedInputError):
        open_result(raw, expected_digest=result_digest({name: b"x"}))
