"""Each file of the shared data as a person would try it: what comes of it, and what is said first."""

import re
from pathlib import Path

import pytest

from nebula.genome.building import build_panel
from nebula.genome.imported import ImportReport
from nebula.genome.inflate import Source
from nebula.genome.panel import Panel
from nebula.protocol.errors import RejectedInputError
from nebula.vault.import_ import check_one_person
from nebula.vault.reading import read_genomes

FOLDERS = ("consumer", "consumer/vendors", "reads", "cohort")
SEVERAL = "import.several", "1kg_p3_exome23k_b38.vcf.gz has 2,504 people, and a record is about one"
NO_HEADER = "no line before the first marker names a column for the chromosome, the position and the genotype"
STRAY_LINE = "vcf.header", "line 3, header: not of the form ##key=value"
NOT_PLACED = "consumer.wrong-assembly", r"only 36 of its 18,354 markers stand at places of the panel, and 184 must"
READS = "genome.no-genotypes", r"it holds reads of a sequencer \(FASTQ or SAM\), no genotypes"
NEITHER = "genome.no-genotypes", "it is neither a VCF nor the raw data of a consumer test"
INDEX = "genome.no-genotypes", r"it is the index of a VCF \(\.tbi\)"
OLD = "vcf.wrong-assembly", "the header says GRCh37, the panel is on GRCh38"

REFUSED = {
    "codigo46.txt": ("consumer.columns", "line 4 names the columns Sample Name, SNP Name"),
    "discrepant_snps.csv": ("consumer.columns", "none of them is known to hold the position and the genotype"),
    "generic_no_header.tsv": ("consumer.columns", NO_HEADER),
    "generic_non_standard_columns.tsv": ("consumer.columns", "none of them is known to hold the genotype"),
    "empty.txt": ("genome.empty", "the file is empty"),
    "generic.fa": ("genome.no-genotypes", r"it is a sequence \(FASTA\), without genotypes"),
    "testvcf.vcf": STRAY_LINE,
    "testvcf_chr_prefix.vcf": STRAY_LINE,
    "testvcf_multi_sample.vcf": STRAY_LINE,
    "testvcf_phased.vcf": STRAY_LINE,
    "unannotated_testvcf.vcf": STRAY_LINE,
    "sim_NA12878_chr20_10.0-10.1Mb_30x_R1.fastq.gz": READS,
    "sim_NA12878_chr20_10.0-10.1Mb_30x_R2.fastq.gz": READS,
    "sim_NA12878_truth_phased.vcf.gz": OLD,
    "test_nist.b37_chr20_100kbp_at_10mb.vcf.gz": OLD,
    "test_nist.b37_chr20_100kbp_at_10mb.vcf.gz.tbi": INDEX,
    "test_nist.b37_chr20_100kbp_at_10mb.bed": ("plink.regions", r"it is a list of regions \(BED\), without genotypes"),
    "ucsc.hg19.chr20.unittest.fasta.gz": ("genome.no-genotypes", r"it is a sequence \(FASTA\)"),
    "ucsc.hg19.chr20.unittest.fasta.gz.fai": NEITHER,
    "ucsc.hg19.chr20.unittest.fasta.gz.gzi": ("vcf.binary", "this is a binary file, not a VCF"),
    "1kg_26s_chrX_b37.vcf.gz": OLD,
    "1kg_p3_exome23k_b38.vcf.gz": SEVERAL,
    "1kg_p3_exome23k_b38.vcf.gz.tbi": INDEX,
    "clinical_uk1.tsv": NEITHER,
    "populations.tsv": NEITHER,
}
CARRIED = {
    "HG00096_GBR_23andme_v5.txt.gz": 4331,
    "HG00096_GBR_AncestryDNA_v2.txt.gz": 4331,
    "HG00403_CHS_23andme_v5.txt.gz": 4332,
    "HG00553_PUR_23andme_v5.txt.gz": 4333,
    "HG01112_CLM_23andme_v5.txt.gz": 4334,
    "HG01515_IBS_23andme_v5.txt.gz": 4334,
    "HG01515_IBS_AncestryDNA_v2.txt.gz": 4334,
    "NA06984_CEU_23andme_v5.txt.gz": 4333,
    "NA18486_YRI_23andme_v5.txt.gz": 4334,
    "NA18525_CHB_23andme_v5.txt.gz": 4336,
    "NA18939_JPT_23andme_v5.txt.gz": 4333,
    "NA19020_LWK_23andme_v5.txt.gz": 4334,
    "NA19020_LWK_AncestryDNA_v2.txt.gz": 4334,
}
# Eight well-formed markers or so, which are read and prove no assembly.
FEW = """
    23andme.txt 23andme_allele.txt 23andme_win.txt 23mofang.txt DNALand.txt GRCh37.csv GRCh37_PAR.csv
    GRCh38.csv NCBI36.csv ancestry.txt ancestry_mt.txt ancestry_multi_sep.txt chromosomes.csv circledna.txt
    duplicate_rsids.csv ftdna.csv ftdna_famfinder.csv generic.csv generic.tsv generic_extra_column.tsv
    generic_header_comment.tsv generic_multi_rsid.tsv genesforgood.txt livingdna.csv mapmygenome.txt
    mapmygenome_alt_header.txt mapmygenome_new_format.txt myheritage.csv myheritage_extra_quotes.csv
    plink.txt sano.txt sano_dtc.txt sano_dtc_no_comments.txt selfdecode.txt tellmeGen.txt
""".split()  # noqa: SIM905 - a list of names, for reading


@pytest.fixture(scope="module")
def files(shared_data: Path) -> dict[str, Path]:
    found = [path for folder in FOLDERS for path in (shared_data / folder).iterdir() if path.is_file()]
    return {path.name: path for path in found}


@pytest.fixture(scope="module")
def panel(shared_data: Path) -> Panel:
    with (shared_data / "cohort/1kg_p3_exome23k_b38.vcf.gz").open("rb") as file:
        return build_panel(Source(file, kind="vcf"), name="exome", version="1")


def tried(file: Path, panel: Panel, chain: Path | None = None) -> ImportReport:
    genomes = read_genomes(file, panel, chain=chain)
    check_one_person(genomes, name=file.name)
    return genomes.genome(0).report


def test_every_file_is_among_those_that_are_tried(files: dict[str, Path]) -> None:
    assert set(files) == {*REFUSED, *CARRIED, *FEW}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_genome_of_one_person_here_is_refused_for_what_it_is(
    files: dict[str, Path], panel: Panel, name: str
) -> None:
    code, sentence = REFUSED[name]
    with pytest.raises(RejectedInputError, match=sentence) as caught:
        tried(files[name], panel)
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("name", FEW)
def test_a_few_markers_are_read_and_told_to_be_too_few(files: dict[str, Path], panel: Panel, name: str) -> None:
    with pytest.raises(
        RejectedInputError, match=rf"{name}: read as .+, it has \d+ markers?: too few to tell"
    ) as caught:
        tried(files[name], panel)
    assert caught.value.code == "consumer.few-markers"
    assert "whole raw data file" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["sim_NA12878_truth_phased.vcf.gz", "test_nist.b37_chr20_100kbp_at_10mb.vcf.gz"])
def test_a_vcf_of_which_nothing_can_be_carried_becomes_no_record(
    shared_data: Path, files: dict[str, Path], panel: Panel, name: str
) -> None:
    with pytest.raises(RejectedInputError, match="0 variants were carried from GRCh37 to GRCh38") as caught:
        tried(files[name], panel, shared_data / "reference/hg19ToHg38.over.chain.gz")
    assert caught.value.code == "genome.nothing-left"
    assert "--reference" in (caught.value.hint or "")


@pytest.mark.parametrize("name", CARRIED)
def test_a_consumer_file_is_told_which_chain_file_to_give_and_is_read_with_it(
    shared_data: Path, files: dict[str, Path], panel: Panel, name: str
) -> None:
    code, sentence = NOT_PLACED
    with pytest.raises(RejectedInputError, match=sentence) as caught:
        tried(files[name], panel)
    assert caught.value.code == code
    chain = re.search(r"--chain (\S+),", caught.value.hint or "")
    assert chain is not None

    report = tried(files[name], panel, shared_data / "reference" / chain[1])

    assert report.called == CARRIED[name]
    assert report.assembly_by.startswith("carried from GRCh37; its data: ")
