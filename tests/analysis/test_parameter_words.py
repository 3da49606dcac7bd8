from typing import Any

import pytest

from nebula.analysis.parameters import parse_parameters
from nebula.protocol.errors import RejectedInputError


@pytest.mark.parametrize(
    ("analysis", "given", "hint"),
    [
        (
            "phewas-variant@1",
            {"variant": "1-2", "traits": ["height"]},
            "variant is written CHROMOSOME:POSITION:REF:ALT, such as 2:135851076:G:A",
        ),
        (
            "gwas-conditional@1",
            {"trait": "height", "condition": ["rs1"]},
            "condition is written CHROMOSOME:POSITION:REF:ALT, such as 2:135851076:G:A",
        ),
        ("missingness@1", {"regions": ["1"]}, "regions is written CHROMOSOME:FIRST-LAST, such as 1:10000-20000"),
        (
            "rare-variants@1",
            {"trait": "height", "regions": ["1:5-6"]},
            "regions is written NAME=CHROMOSOME:FIRST-LAST, such as PCSK9=1:55039447-55064852",
        ),
        ("gwas-linear@1", {"trait": "height", "steps": 4}, "steps is a parameter of gwas-conditional@1"),
        ("missingness@1", {"stepps": 4}, "the parameters of missingness@1 are regions"),
        ("gwas-linear@1", {"trait": "height", "pcs": 999}, None),
    ],
)
def test_a_parameter_that_is_not_taken_is_refused_with_what_would_be(
    analysis: str, given: dict[str, Any], hint: str | None
) -> None:
    with pytest.raises(RejectedInputError) as caught:
        parse_parameters(analysis, given)
    assert (caught.value.code, caught.value.hint) == ("analysis.parameters", hint)
