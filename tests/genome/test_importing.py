import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from genome.vcf_text import refused, source, vcf
from nebula.genome import imported
from nebula.genome.assembly import assemble
from nebula.genome.building import build_panel
from nebula.genome.imported import ImportedCohort
from nebula.genome.importing import import_genomes
from nebula.genome.inflate import Source
from nebula.genome.keys import variant_key
from nebula.genome.lift.chain import read_chain
from nebula.genome.matrix import PackedMatrix
from nebula.genome.panel import Panel
from nebula.genome.record import parse_vector
from nebula.genome.record.parquet import read_record
from nebula.protocol.errors import RejectedInputError

SMALL = ("1 10 . A C . . . GT 0/1 1|1", "1 20 . A C,G . . . GT 1/2 ./.", "7 5 . T TA . . . GT 0/0 0|1")


def panel_of(*sites: tuple[str, int, str, str]) -> Panel:
    return Panel("p", "1", "GRCh38", np.sort(np.array([variant_key(*site) for site in sites], np.uint64)))


SMALL_PANEL = panel_of(("1", 10, "A", "C"), ("1", 15, "G", "T"), ("1", 20, "A", "G"))


def small(*records: str, samples: str = "AB", kind: str = "genome") -> ImportedCohort:
    return import_genomes(source(vcf(*records, samples=samples), kind), SMALL_PANEL)


def test_each_person_gets_a_vector_on_the_panel_with_private_variants() -> None:
    first, second = (parse_vector(genome.vector, SMALL_PANEL) for genome in small(*SMALL))
    matrix = assemble(SMALL_PANEL, [first.codes, second.codes])
    assert matrix.dosage().tolist() == [[1, 2], [-1, -1], [1, -1]]
    assert first.private_keys.tolist() == [variant_key("1", 20, "A", "C")]
    assert second.private_keys.tolist() == [variant_key("7", 5, "T", "TA")]


def test_the_record_has_every_call_as_the_file_wrote_it() -> None:
    _, second = small(*SMALL)
    rows = read_record(second.parquet).select(["chrom", "pos", "ref", "alt", "gt", "phase"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("1", 10, "A", "C", "1|1", True),
        ("1", 20, "A", "C", "./.", False),
        ("1", 20, "A", "G", "./.", False),
        ("7", 5, "T", "TA", "0|1", True),
    ]


def test_a_report_is_told_without_a_record_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    genomes = small("1 10 . A C . . . GT 0/1", "1 90 . A C . . . GT 1/1", samples="A")
    with monkeypatch.context() as patched:
        patched.setattr(imported, "RecordWriter", None)
        report = genomes.report(0)
    assert report == genomes.genome(0).report


def test_what_is_absent_is_missing_unless_a_block_covers_it() -> None:
    block = ("1 8 . A <NON_REF> . . END=15 GT:GQ 0/0:50", "1 16 . A <NON_REF> . . END=30 GT:GQ 0/0:0")
    vector = parse_vector(next(iter(small(*block, samples="A"))).vector, SMALL_PANEL)
    assert assemble(SMALL_PANEL, [vector.codes]).dosage()[:, 0].tolist() == [0, 0, -1]


def test_one_variant_under_two_names_of_its_contig_is_refused() -> None:
    error = refused(lambda: small("1 10 . A C . . . GT 0/1 0/1", "chr1 10 . A C . . . GT 0/1 0/1"))
    assert error is not None
    assert error.code == "vcf.duplicate-variant"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (vcf("1 10 . A C . . .", samples=()), "vcf.no-genotypes"),
        (vcf("1 10 . A C . . . DP 5"), "vcf.no-genotypes"),
        (vcf(meta=["##contig=<ID=1,length=249250621>"]), "vcf.wrong-assembly"),
        (gzip.compress(vcf(SMALL[0]), mtime=0)[:-9], "genome.truncated"),
        (b"", "genome.empty"),
        (b"\x00\x01\x02", "vcf.binary"),
        (b"name,value\n1,2\n", "genome.no-genotypes"),
        (b"@read1\nACGT\n+\nIIII\n", "genome.no-genotypes"),
        (b">chr1\nACGT\n", "genome.no-genotypes"),
        (b"#CHROM\tPOS\n", "vcf.no-fileformat"),
    ],
)
def test_a_file_without_genotypes_for_the_panel_is_refused(raw: bytes, code: str) -> None:
    error = refused(lambda: import_genomes(source(raw, "genome"), SMALL_PANEL))
    assert error is not None
    assert error.code == code


def test_data_outvote_a_header_that_lies() -> None:
    panel = panel_of(*(("1", pos, "A", "C") for pos in range(100, 200)))
    records = [f"1 {pos} . G T . . . GT 0/1" for pos in range(100, 200)]
    error = refused(lambda: import_genomes(source(vcf(*records, meta=["##reference=GRCh38"]), "genome"), panel))
    assert error is not None
    assert error.code == "vcf.wrong-assembly"


@pytest.fixture(scope="module")
def cohort_panel(shared_data: Path) -> Panel:
    with (shared_data / "cohort/1kg_p3_exome23k_b38.vcf.gz").open("rb") as file:
        return build_panel(Source(file, kind="vcf"), name="exome", version="1")


@pytest.fixture(scope="module")
def cohort(shared_data: Path, cohort_panel: Panel) -> ImportedCohort:
    with (shared_data / "cohort/1kg_p3_exome23k_b38.vcf.gz").open("rb") as file:
        return import_genomes(Source(file), cohort_panel)


@pytest.fixture(scope="module")
def matrix(cohort: ImportedCohort, cohort_panel: Panel) -> PackedMatrix:
    return assemble(cohort_panel, [cohort.vector(person).codes for person in range(len(cohort))])


def test_allele_counts_of_the_assembled_cohort_are_those_of_its_file(
    shared_data: Path, cohort_panel: Panel, matrix: PackedMatrix
) -> None:
    truth = {}
    with gzip.open(shared_data / "cohort/1kg_p3_exome23k_b38.vcf.gz", "rt") as file:
        for line in file:
            if not line.startswith("#"):
                chrom, pos, _, reference, alternate, _, _, info = line.split("\t", 8)[:8]
                truth[variant_key(chrom, int(pos), reference, alternate)] = info
    counts = matrix.counts()
    found = [f"AC={het + 2 * hom};AN={2 * (ref + het + hom)}" for ref, het, hom, _ in counts.tolist()]
    assert found == [truth[int(key)] for key in cohort_panel.keys]


def test_a_cohorts_record_holds_all_its_calls(cohort: ImportedCohort, matrix: PackedMatrix) -> None:
    genome = cohort.genome(17)
    written = read_record(genome.parquet)
    dosage = [text.count("1") for text in written.column("gt").to_pylist()]
    assert dosage == matrix.dosage()[:, 17].tolist()
    assert genome.report.call_rate == 1


# Sites where the cohort's file has REF and ALT of the new assembly but counts the allele of the old one: everyone's
# count is the mirror of what their letters say. The file is wrong there, not the letters: at 1:169549811 (rs6025,
# factor V Leiden) it gives 99.4 % of everyone's chromosomes the rare T, at 10:94842866 (rs3758581) 5 % the common G.
MIRRORED = {
    ("1", 12760937),
    ("1", 169549811),
    ("7", 25228344),
    ("7", 75073650),
    ("7", 142912583),
    ("8", 144379425),
    ("8", 144415027),
    ("10", 94762804),
    ("10", 94842866),
    ("11", 1158068),
    ("12", 121184717),
    ("14", 21525364),
    ("17", 37411381),
    ("17", 74854994),
    ("19", 4443002),
    ("19", 44658770),
    ("19", 44885967),
    ("19", 54153332),
    ("19", 54462100),
}
# Single calls that differ between the releases that the cohort and the consumer files were made of: person and site.
OTHER_RELEASE = {
    ("NA19020", "3", 10338239),
    ("HG01515", "9", 135777415),
    ("NA18939", "16", 2460602),
    ("HG00403", "17", 75591703),
    ("NA18939", "17", 75591703),
    ("NA18939", "19", 56621600),
}


def test_every_consumer_file_lifted_over_agrees_with_the_same_persons_column(
    shared_data: Path, cohort: ImportedCohort, cohort_panel: Panel, matrix: PackedMatrix
) -> None:
    with (shared_data / "reference/hg19ToHg38.over.chain.gz").open("rb") as file:
        chain = read_chain(Source(file, kind="chain"))
    assert (chain.old, chain.new) == ("GRCh37", "GRCh38")
    paths = sorted((shared_data / "consumer").glob("*.txt.gz"))
    people = [path.name.split("_")[0] for path in paths]
    vectors = []
    for path in paths:
        with path.open("rb") as file:
            (genome,) = import_genomes(Source(file, path.name), cohort_panel, chain=chain)
        assert "the file says GRCh37, and its data bear that out" in genome.report.notes
        vectors.append(parse_vector(genome.vector, cohort_panel).codes)
    ours = assemble(cohort_panel, vectors).dosage()
    truth = matrix.dosage()[:, [cohort.samples.index(person) for person in people]]
    called = ours >= 0
    assert (called.sum(axis=0) > 4_300).all()
    for row, column in np.argwhere(called & (ours != truth)).tolist():
        site = cohort_panel.site(row)
        if (people[column], site.chromosome, site.pos) in OTHER_RELEASE:
            ours[row, column] = truth[row, column]
    wrong = np.flatnonzero((called & (ours != truth)).any(axis=1))
    sites = [cohort_panel.site(row) for row in wrong.tolist()]
    assert {(site.chromosome, site.pos) for site in sites} == MIRRORED
    mirrored = ~called[wrong] | (ours[wrong] == 2 - truth[wrong])
    assert mirrored.all()


@pytest.mark.parametrize(
    ("place", "inside"),
    [("1 248956422", True), ("1 248956423", False), ("chr21 46709984", False), ("X 156040895", True), ("un1 9", True)],
)
def test_no_variant_stands_behind_the_end_of_its_chromosome(place: str, inside: bool) -> None:
    raw = vcf("1 10 . A C . . . GT 0/1", f"{place} . A C . . . GT 0/1")
    error = refused(lambda: import_genomes(source(raw, "genome"), panel_of(("1", 10, "A", "C"))))
    assert inside == (error is None)
    if error is not None:
        assert error.code == "vcf.wrong-assembly"
        assert error.message.endswith(f"1 of its variants, such as {place.replace(' ', ':')}")


def test_a_file_on_another_assembly_is_told_which_chain_file_to_give(shared_data: Path, cohort_panel: Panel) -> None:
    with (shared_data / "consumer/NA18486_YRI_23andme_v5.txt.gz").open("rb") as file:
        error = refused(lambda: import_genomes(Source(file, "raw"), cohort_panel))
    assert error is not None
    assert error.code == "consumer.wrong-assembly"
    assert "hg19ToHg38.over.chain.gz" in (error.hint or "")


def test_sex_is_guessed_as_the_labels_say(shared_data: Path) -> None:
    labels = dict(line.split("\t")[::3] for line in (shared_data / "cohort/populations.tsv").read_text().splitlines())
    raw = (shared_data / "cohort/1kg_26s_chrX_b37.vcf.gz").read_bytes()
    panel = build_panel(Source(io.BytesIO(raw), kind="vcf"), name="x", version="1")
    cohort = import_genomes(Source(io.BytesIO(raw)), panel)
    guessed = {sample: cohort.genome(person).report.sex for person, sample in enumerate(cohort.samples)}
    labelled = {sample: sex for sample, sex in guessed.items() if sample in labels}
    assert len(labelled) >= 20
    assert labelled == {sample: labels[sample] for sample in labelled}


def test_a_report_tells_calls_of_rows_from_calls_of_blocks_and_how_the_assembly_is_known() -> None:
    block = "1 8 . A <NON_REF> . . END=15 GT:GQ 0/0:50"
    report = small(block, "1 20 . A G . . . GT 0/1", samples="A").genome(0).report

    assert (report.called, report.in_blocks, report.variants) == (3, 2, 1)
    assert report.heterozygosity == 1 / 3
    assert "1 of 1 variants at places of the panel have its reference base, too few to prove it" in report.assembly_by


def test_a_file_that_says_no_assembly_and_meets_the_panel_nowhere_proves_none() -> None:
    nowhere = [f"1 {at} . A C . . . GT 0/1" for at in range(5_000_000, 5_000_040)]
    with pytest.raises(RejectedInputError) as caught:
        import_genomes(source(vcf(*nowhere, samples="A")), SMALL_PANEL)
    assert caught.value.code == "vcf.wrong-assembly"
    assert "--reference" in (caught.value.hint or "")
    stated = import_genomes(source(vcf(*nowhere, samples="A", meta=["##contig=<ID=1,length=248956422>"])), SMALL_PANEL)
    assert stated.genome(0).report.called == 0


@pytest.mark.parametrize("damage", [20, 60, 200, 340])
def test_what_a_damaged_file_says_is_not_told_as_the_persons_mistake(damage: int) -> None:
    """A bit that flipped makes other letters long before gzip's own checksum is reached."""
    draw = np.random.default_rng(4)
    lines = [f"rs{at}\t1\t{at}\t{''.join(draw.choice(list('ACGT'), 2))}" for at in range(100, 400)]
    text = "\n".join(["# rsid\tchromosome\tposition\tgenotype", *lines]) + "\n"
    raw = bytearray(gzip.compress(text.encode(), mtime=0))
    raw[damage] ^= 4
    error = refused(lambda: import_genomes(source(bytes(raw), "genome"), SMALL_PANEL))
    assert error is not None
    assert error.code in {"genome.damaged", "genome.truncated"}
