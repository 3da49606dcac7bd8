"""Each rule, version by version; and the table of the rules in the documentation."""

import re
from pathlib import Path

import pytest

from genome.vcf_rules import ALL, VECTORS, Vector
from genome.vcf_text import refused, source
from nebula.genome.vcf import VcfReader
from nebula.genome.vcf.rules import RULES, hint_of

ROOT = Path(__file__).parents[2]
CASES = [(vector, version) for vector in VECTORS for version in ALL]
NAMES = [f"{vector.what}, {version}" for vector, version in CASES]


@pytest.mark.parametrize(("vector", "version"), CASES, ids=NAMES)
def test_a_file_is_refused_exactly_where_its_version_forbids_it(vector: Vector, version: str) -> None:
    error = refused(lambda: list(VcfReader(source(vector.of(version)))))
    if version in vector.valid:
        assert error is None, error
    if version in vector.invalid:
        assert error is not None
        assert error.code == vector.code
        assert error.hint == hint_of(vector.code) is not None
        assert error.message.startswith("small.vcf")


def test_every_rule_of_a_body_has_files_that_keep_and_break_it() -> None:
    broken = {vector.code for vector in VECTORS if vector.invalid}
    assert {rule.code for rule in RULES if rule.section} - broken == {"vcf.bcf", "vcf.reference"}


def test_every_code_of_the_reader_is_a_rule_with_a_hint() -> None:
    files = [*(ROOT / "native/src/vcf").glob("*.rs"), *(ROOT / "src/nebula/genome/vcf").glob("*.py")]
    used = {code for file in files for code in re.findall(r'"(vcf\.[a-z-]+)"', file.read_text())}
    assert used <= {rule.code for rule in RULES}
    assert all(rule.hint for rule in RULES)


def test_the_documentation_has_the_table_of_the_rules() -> None:
    rows = [
        f"| `{rule.code}` | {rule.asks} | {rule.versions} | {rule.section or 'ours'} | {rule.lenient or 'refused'} |"
        for rule in RULES
    ]
    page = (ROOT / "docs/reference/vcf-rules.md").read_text()
    assert [line for line in page.splitlines() if line.startswith("| `vcf.")] == rows
