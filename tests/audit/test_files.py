import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.miniature import Miniature
from nebula.audit.files import parse_result_file, parse_run_file
from nebula.audit.run import audit_run
from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.wire import to_canonical

FLIPS = 250


def flip(raw: bytes, place: int, bit: int) -> bytes:
    return raw[:place] + bytes([raw[place] ^ 1 << bit]) + raw[place + 1 :]


def survives(miniature: Miniature, run: bytes, result: bytes | None = None) -> bool:
    try:
        public = parse_run_file(run)
    except RejectedInputError:
        return False
    try:
        return audit_run(public, miniature.network, [miniature.root], result=result).passed
    except UnavailableError:
        raise
    except NebulaError:
        return False


def test_an_untouched_file_survives(miniature: Miniature) -> None:
    assert survives(miniature, miniature.raw, miniature.result)


def test_a_file_without_a_statement_is_told_to_be_of_an_earlier_version(miniature: Miniature) -> None:
    fields = msgspec.json.decode(miniature.raw)
    statement = fields.pop("statement")
    for earlier in (fields, fields | {"dropped": {"reasons": statement["dropped"]}}):
        with pytest.raises(RejectedInputError, match="earlier version") as refused:
            parse_run_file(msgspec.json.encode(earlier))
        assert refused.value.code == "audit.earlier"
    for other in (b"{}", b"[]", b"no", msgspec.json.encode(statement)):
        with pytest.raises(RejectedInputError) as refused:
            parse_run_file(other)
        assert refused.value.code == "wire.malformed"


def test_no_flipped_byte_survives_wherever_it_stands(miniature: Miniature) -> None:
    """One byte of every stretch of the file, so that every field of some length is hit."""
    raw, chance = miniature.raw, random.Random(7)
    bounds = [len(raw) * n // FLIPS for n in range(FLIPS + 1)]
    for first, last in pairwise(bounds):
        place, bit = chance.randrange(first, last), chance.randrange(8)
        assert not survives(miniature, flip(raw, place, bit)), (place, raw[max(0, place - 60) : place + 20])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_changed_letter_in_a_short_field_survives(miniature: Miniature, data: st.DataObject) -> None:
    """The big fields are quote and collateral; here only what stands around them, and only other letters."""
    raw = miniature.raw
    big = [raw.index(b'"quote":"') + 9, raw.index(b'"collateral":"') + 14]
    spans = [range(start, raw.index(b'"', start)) for start in big]
    place = data.draw(st.integers(0, len(raw) - 1).filter(lambda n: not any(n in span for span in spans)))
    letter = data.draw(st.sampled_from(b"0123456789abcdefABCXYZ+/= ").filter(lambda n: n != raw[place]))
    assert not survives(miniature, raw[:place] + bytes([letter]) + raw[place + 1 :])


def test_no_flipped_byte_of_the_result_survives(miniature: Miniature) -> None:
    result, chance = miniature.result, random.Random(8)
    for place in range(0, len(result), 4):
        assert not survives(miniature, miniature.raw, flip(result, place, chance.randrange(8))), place


@pytest.mark.parametrize("odd", [b" %s", b"%s\n", b"%s%s", b""])
def test_a_file_has_one_form(miniature: Miniature, odd: bytes) -> None:
    for raw, parse in ((miniature.raw, parse_run_file), (miniature.result, parse_result_file)):
        with pytest.raises(RejectedInputError):
            parse(odd.replace(b"%s", raw))


def test_a_file_with_its_keys_in_another_order_is_refused(miniature: Miniature) -> None:
    raw = miniature.raw.replace(b'"schema":1,"signed"', b'"signed"', 1).removesuffix(b"}") + b',"schema":1}'
    with pytest.raises(RejectedInputError) as refused:
        parse_run_file(raw)
    assert refused.value.code == "audit.not-canonical"


def test_what_is_parsed_is_what_was_written(miniature: Miniature) -> None:
    assert to_canonical(parse_run_file(miniature.raw)) == miniature.raw
    assert to_canonical(parse_result_file(miniature.result)) == miniature.result
