import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.keeper.diseases import Diseases, parse_diseases
from nebula.protocol.errors import RejectedInputError

mondo = st.integers(0, 30).map(lambda number: f"MONDO:{number:07d}")


def test_a_disease_is_a_kind_of_all_its_ancestors() -> None:
    known = parse_diseases(b"# child\tparent\nMONDO:0005148\tMONDO:0005015\n\nMONDO:0005015\tMONDO:0000001\n")
    assert known.closure(["MONDO:0005148"]) == {"MONDO:0005148", "MONDO:0005015", "MONDO:0000001"}


def test_without_an_ontology_a_disease_is_a_kind_of_itself() -> None:
    assert Diseases().closure(["MONDO:0005148"]) == {"MONDO:0005148"}


@given(edges=st.lists(st.tuples(mondo, mondo), max_size=40), asked=st.sets(mondo, max_size=4))
def test_a_closure_is_closed_and_ends_also_in_circles(edges: list[tuple[str, str]], asked: set[str]) -> None:
    known = parse_diseases("\n".join("\t".join(edge) for edge in edges).encode())
    closure = known.closure(asked)
    assert asked <= closure
    assert all(parent in closure for child, parent in edges if child in closure)


@pytest.mark.parametrize("line", ["MONDO:0005148", "MONDO:0005148\tDUO:0000004", "a\tb\tc", "\xff"])
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(RejectedInputError, match="line 2"):
        parse_diseases(f"MONDO:0005148\tMONDO:0005015\n{line}".encode("latin-1"))
