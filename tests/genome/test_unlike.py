from pathlib import Path

import pytest

from genome.test_importing import panel_of
from genome.vcf_text import refused
from nebula.genome.importing import import_genomes
from nebula.genome.inflate import Source


@pytest.mark.parametrize("name", ["sample1-bcbio-cancer.vcf.gz.c4gh", "spec-v4.3.vcf.gz.c4gh"])
def test_an_encrypted_file_is_told_to_be_one(shared_data: Path, name: str) -> None:
    with (shared_data / "crypt4gh" / name).open("rb") as file:
        error = refused(lambda: import_genomes(Source(file, name), panel_of(("1", 10, "A", "C"))))
    assert error is not None
    assert error.message == f"{name}: it is encrypted (Crypt4GH)"
    assert "decrypt it" in str(error.hint)
