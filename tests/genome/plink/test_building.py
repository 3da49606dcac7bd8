import pytest

from genome.plink.file_set import bed, bim, fam, files
from genome.vcf_text import refused
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel
from nebula.genome.plink.building import build_plink_panel
from nebula.genome.plink.files import PlinkFiles
from nebula.genome.plink.importing import import_plink
from nebula.genome.reference import Reference, WholeReference

GENOME = WholeReference({"1": b"ACGTACGT" * 2 + b"G" + b"ACGTTGCA" * 4})
LONG = "GACGTTGCAACGTT"
SITES = (("1", 1, "C", "A"), ("1", 2, "C", "T"), ("1", 17, "G", LONG), ("1", 40, "T", "G"))


def cohort() -> PlinkFiles:
    return files(bed("01", "11", "02", "00"), bim(*SITES), fam("f a 0", "f b 0"))


def build(reference: Reference | None, assembly: str | None = "GRCh38") -> Panel:
    return build_plink_panel(cohort(), name="own", version="1", assembly=assembly, reference=reference)


def test_a_panel_of_ones_own_sites_has_the_genomes_reference_alleles() -> None:
    fitting = SITES[:3]
    own = files(bed("01", "11", "02"), bim(*fitting), fam("f a 0", "f b 0"))
    panel = build_plink_panel(own, name="own", version="1", assembly="GRCh38", reference=GENOME)
    # The shorter allele of the third site fits as well as the longer one, so that nothing tells.
    assert panel.keys.tolist() == [variant_key("1", 1, "A", "C"), variant_key("1", 2, "C", "T")]
    report = (
        import_plink(files(bed("01", "11"), bim(*fitting[:2]), fam("f a 0", "f b 0")), panel, reference=GENOME)
        .genome(1)
        .report
    )
    assert (report.called, report.heterozygous) == (2, 2)


@pytest.mark.parametrize(
    ("reference", "assembly", "code"),
    [
        (None, "GRCh38", "plink.no-reference"),
        (GENOME, None, "plink.wrong-assembly"),
        (WholeReference({"1": b"N" * 100}), "GRCh38", "plink.wrong-assembly"),
        (WholeReference({"2": b"ACGT"}), "GRCh38", "plink.no-sites"),
    ],
)
def test_without_a_genome_of_the_assembly_there_is_no_panel(
    reference: Reference | None, assembly: str | None, code: str
) -> None:
    error = refused(lambda: build(reference, assembly))
    assert error is not None
    assert error.code == code
