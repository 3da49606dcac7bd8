"""A VCF on another assembly: what is carried means the same there. The truth is the letters of the people themselves.

A made-up genome is cut into stretches, which are moved, turned and altered to be the new assembly; the chain file is
written from the cuts. Whoever is carried must have the same letters at the new place as at the old one.
"""

import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.repeats import repetitive, simulated
from genome.vcf_text import refused, source, vcf
from nebula.genome.imported import ImportedCohort
from nebula.genome.importing import import_genomes
from nebula.genome.inflate import Source
from nebula.genome.keys import variant_key
from nebula.genome.lift.chain import Chain, read_chain
from nebula.genome.panel import Panel
from nebula.genome.record.parquet import read_record
from nebula.genome.reference import WholeReference

TURNED = str.maketrans("ACGT", "TGCA")
HEAD = ["##contig=<ID=1,length=249250621>"]
FORMATS = [
    f'##FORMAT=<ID={key},Number=1,Type={kind},Description="{key}">'
    for key, kind in (("GT", "String"), ("DP", "Integer"), ("GQ", "Integer"))
]
LENGTH_OLD, LENGTH_NEW = 249_250_621, 248_956_422


def turn(letters: str) -> str:
    return letters.translate(TURNED)[::-1]


@dataclass
class TwoAssemblies:
    """An old genome, the new one, and the chain between them, all on chromosome 1."""

    old: str = ""
    new: str = ""
    chain: bytes = b""
    changed: set[int] = field(default_factory=set)

    @classmethod
    def make(cls, seed: int, *, stretches: int = 8, bases: int = 40, altered: float = 0.1) -> "TwoAssemblies":
        rng = random.Random(seed)
        made = cls()
        blocks = []
        for number in range(stretches):
            stretch = "".join(rng.choices("ACGT", k=bases))
            start = len(made.old)
            made.old += stretch
            kind = rng.choice(["plain", "plain", "turned", "lost"])
            if kind == "lost":
                continue
            there = "".join(rng.choice("ACGT") if rng.random() < altered else base for base in stretch)
            made.new += "".join(rng.choices("ACGT", k=rng.randint(0, 5)))
            blocks.append((number, start, len(made.new), kind == "turned"))
            made.new += turn(there) if kind == "turned" else there
        lines = []
        for number, start, target, turned in blocks:
            strand, first = ("-", LENGTH_NEW - target - bases) if turned else ("+", target)
            lines.append(
                f"chain 1 chr1 {LENGTH_OLD} + {start} {start + bases} chr1 {LENGTH_NEW} {strand} {first} "
                f"{first + bases} {number + 1}\n{bases}\n\n"
            )
        made.chain = "".join(lines).encode()
        return made


def lifted(
    raw: bytes, two: TwoAssemblies, panel: Panel, *, reference: bool = True, name: str = "old.vcf"
) -> ImportedCohort:
    chain = read_chain(source(two.chain, "chain"))
    genome = WholeReference({"1": two.new.encode()}) if reference else None
    return import_genomes(source(raw, "genome", name), panel, chain=chain, reference=genome)


def panel_of(*sites: tuple[int, str, str]) -> Panel:
    keys = {variant_key("1", pos, one, other) for pos, one, other in sites}
    return Panel("p", "1", "GRCh38", np.array(sorted(keys), np.uint64))


def letters(parquet: bytes) -> dict[int, str]:
    """The letters that a record says at each place of single bases, in the alphabet's order; nothing if missing."""
    return {
        row["pos"]: "".join(sorted(row["alt" if copy == "1" else "ref"] for copy in row["gt"][::2] if copy != "."))
        for row in read_record(parquet).to_pylist()
    }


@given(st.integers(0, 10_000), st.integers(0, 2))
def test_a_carried_call_has_the_letters_that_the_person_has(seed: int, people: int) -> None:
    two = TwoAssemblies.make(seed)
    if not two.chain:
        return
    rng = random.Random(seed + 1)
    samples = [f"P{number}" for number in range(people + 1)]
    records, truth = [], {}
    for pos, reference in enumerate(two.old, start=1):
        if rng.random() < 0.3:
            continue
        alternate = rng.choice("ACGT".replace(reference, ""))
        calls = [[rng.choice((reference, alternate)) for _ in "12"] for _ in samples]
        mark = rng.choice("/|")
        said = [mark.join("01"[letter == alternate] for letter in call) for call in calls]
        truth[pos] = alternate, calls
        records.append(f"1 {pos} . {reference} {alternate} . . . GT {' '.join(said)}")
    cohort = lifted(vcf(*records, samples=samples, meta=HEAD), two, panel_of((1, "A", "C")))
    chain = read_chain(source(two.chain, "chain"))
    places = np.array(sorted(truth))
    there = chain.lift(np.ones(len(places), np.int64), places)
    for number, _ in enumerate(samples):
        found = letters(cohort.genome(number).parquet)
        expected = {}
        for old, code, new, flipped in zip(places.tolist(), *(part.tolist() for part in there[:3]), strict=True):
            alternate, calls = truth[old]
            alleles, call = two.old[old - 1] + alternate, "".join(calls[number])
            if flipped:
                alleles, call = alleles.translate(TURNED), call.translate(TURNED)
            # Whatever has the new assembly's base as REF or ALT is there, and nothing else.
            if code and two.new[new - 1] in alleles:
                expected[new] = "".join(sorted(call))
        assert found == expected


PLAIN = TwoAssemblies(
    old="ACGTACGTACGTACGTACGTCATCATCATG" + "ACGT" * 20,
    new="TT" + "ACGTACGTACGTACGTACGTCATCATCATG" + "ACGT" * 20,
    chain=f"chain 1 chr1 {LENGTH_OLD} + 0 110 chr1 {LENGTH_NEW} + 2 112 1\n110\n".encode(),
)


def kept(
    *records: str, two: TwoAssemblies = PLAIN, samples: tuple[str, ...] = ("A",), reference: bool = True
) -> list[str]:
    cohort = lifted(vcf(*records, samples=samples, meta=HEAD), two, panel_of((3, "A", "C")), reference=reference)
    rows = read_record(cohort.genome(0).parquet).to_pylist()
    return [f"{row['pos']} {row['ref']} {row['alt']} {row['gt']}" for row in rows]


def test_insertions_deletions_and_long_alleles_move_with_their_stretch() -> None:
    assert kept("1 1 . A ATTTTTTTTTTTTTTT . . . GT 0|1") == ["3 A ATTTTTTTTTTTTTTT 0|1"]
    assert kept("1 1 . AC A . . . GT 1/1") == ["3 AC A 1/1"]
    assert kept("1 1 . AC GT . . . GT 0/1") == ["3 AC GT 0/1"]


def test_an_indel_is_lost_where_its_repeat_does_not_lie_in_one_stretch() -> None:
    # T and CAT three times stand from 20 to 29: a deleted CAT hangs on the G at 19 and on the G at 30, wherever in the
    # repeat it is written.
    aligned = ["21 GTCA G 0/1"]
    for first, last, found in (
        (1, 30, aligned),
        (1, 29, []),
        (1, 26, []),
        (19, 60, aligned),
        (20, 60, []),
        (24, 60, []),
    ):
        old, size = first - 1, last - first + 1
        chain = (
            f"chain 1 chr1 {LENGTH_OLD} + {old} {last} chr1 {LENGTH_NEW} + {old + 2} {last + 2} 1\n{size}\n".encode()
        )
        two = TwoAssemblies(PLAIN.old, PLAIN.new, chain)
        for record in ("1 20 . TCAT T . . . GT 0/1", "1 26 . TCAT T . . . GT 0/1", "1 23 . TCAT T . . . GT 0/1"):
            assert kept(record, two=two) == (found if first < int(record.split()[1]) <= last - 3 else []), (first, last)


@pytest.mark.parametrize("seed", range(3))
def test_lifted_insertions_and_deletions_are_what_bcftools_makes_of_the_lifted_file(tmp_path: Path, seed: int) -> None:
    chooser = random.Random(seed)
    flanks = ["".join(chooser.choices("ACGT", k=40)) for _ in "12"]
    core = repetitive(chooser, 6000)
    old = flanks[0] + core + flanks[1]
    new = "".join(chooser.choice("ACGT") if chooser.random() < 0.02 else base for base in old)
    length = len(old)
    two = TwoAssemblies(
        old,
        "TT" + new,
        f"chain 1 chr1 {LENGTH_OLD} + 0 {length} chr1 {LENGTH_NEW} + 2 {length + 2} 1\n{length}\n".encode(),
    )
    records = [record.split("\t") for record in simulated(chooser, "1", core)]
    raw = vcf(*(" ".join([name, str(int(pos) + 40), *rest]) for name, pos, *rest in records), meta=[*HEAD, *FORMATS])
    as_it_is = import_genomes(source(raw, "genome"), Panel("o", "1", "GRCh37", panel_of((1, "A", "C")).keys)).genome(0)
    naive = [
        f"1 {row['pos'] + 2} . {row['ref']} {row['alt']} . . . GT {row['gt']}"
        for row in read_record(as_it_is.parquet).to_pylist()
    ]
    fasta, path = tmp_path / "new.fa", tmp_path / "lifted.vcf"
    fasta.write_text(f">1\n{two.new}\n")
    pysam.faidx(str(fasta))
    path.write_bytes(vcf(*naive, meta=["##contig=<ID=1,length=248956422>", *FORMATS]))
    theirs: dict[tuple[int, str, str], set[str]] = {}
    for line in pysam.bcftools.norm("-f", str(fasta), "-c", "x", str(path)).splitlines():
        if not line.startswith("#"):
            _, pos, _, reference, alternate, *_, call = line.split("\t")
            theirs.setdefault((int(pos), reference.upper(), alternate.upper()), set()).add(call)
    cohort = lifted(raw, two, panel_of((1, "A", "C")))
    ours = {
        (row["pos"], row["ref"], row["alt"]): {row["gt"]}
        for row in read_record(cohort.genome(0).parquet).to_pylist()
        if len(row["ref"]) != len(row["alt"])
    }
    assert len(ours) > 300
    # What became one with others that have other calls is lost.
    assert ours == {
        variant: calls for variant, calls in theirs.items() if len(variant[1]) != len(variant[2]) and len(calls) == 1
    }
    assert not any("left-aligned" in note for note in cohort.genome(0).report.notes)


def test_counts_of_what_was_carried_are_of_what_is_there() -> None:
    # Two stretches of the old assembly are one on the new: A is G there at the first place of it.
    stretch = PLAIN.old[:40]
    chain = "".join(
        f"chain 1 chr1 {LENGTH_OLD} + {start} {start + 40} chr1 {LENGTH_NEW} + 2 42 {start + 1}\n40\n\n"
        for start in (0, 50)
    )
    two = TwoAssemblies(stretch + "T" * 10 + stretch, "TTG" + stretch[1:], chain.encode())

    def told(*calls: str) -> tuple[str, ...]:
        records = [f"1 {pos} . A G . . . GT {call}" for pos, call in zip((1, 51), calls, strict=True)]
        other = "1 60 . C T . . . GT 0/1"
        report = lifted(vcf(*records, other, meta=HEAD), two, panel_of((3, "G", "A"))).genome(0).report
        return report.notes

    swapped = "of these has as REF what was ALT on GRCh37: alleles and counts changed places"
    assert told("0/1", "0/1") == (
        "2 variants were carried from GRCh37 to GRCh38 by the chain file",
        f"1 {swapped}",
        "1 variant became one with another there that has the same calls, and counts once",
    )
    assert told("0/1", "1/1") == (
        "1 variant was carried from GRCh37 to GRCh38 by the chain file",
        "2 variants became one with others there, and contradict each other there: lost",
    )


@pytest.mark.parametrize("gaps", ["21 1 1\n88", "21 1 0\n1 0 1\n87", "21 0 1\n1 1 0\n87"])
@pytest.mark.parametrize("record", ["1 20 . TCAT T . . . GT 0/1", "1 21 . CAT GTG . . . GT 0/1"])
def test_what_stands_over_a_gap_is_lost_though_the_gap_be_as_long_on_both_sides(record: str, gaps: str) -> None:
    chain = f"chain 1 chr1 {LENGTH_OLD} + 0 110 chr1 {LENGTH_NEW} + 2 112 1\n{gaps}\n".encode()
    assert len(kept(record)) == 1
    assert kept(record, two=TwoAssemblies(PLAIN.old, PLAIN.new, chain)) == []


def test_where_ref_and_alt_change_places_so_do_counts_phase_and_single_copies() -> None:
    two = TwoAssemblies(PLAIN.old, PLAIN.new[:2] + "G" + PLAIN.new[3:], PLAIN.chain)
    for said, then in (("0/0", "1/1"), ("0/1", "0/1"), ("1|0", "0|1"), ("0|1", "1|0"), ("1/1", "0/0"), ("./.", "./.")):
        assert kept(f"1 1 . A G . . . GT {said}", two=two) == [f"3 G A {then}"]
    assert kept("1 1 . A G . . . GT 1", two=two) == ["3 G A 0"]
    assert kept("1 1 . A G . . . GT 0", two=two) == ["3 G A 1"]


@pytest.mark.parametrize("record", ["1 1 . A G,C . . . GT 1/2", "1 1 . A G,* . . . GT 0/2", "1 1 . A C . . . GT 0/1"])
def test_no_count_is_guessed_where_others_than_the_two_may_be_carried(record: str) -> None:
    two = TwoAssemblies(PLAIN.old, PLAIN.new[:2] + "G" + PLAIN.new[3:], PLAIN.chain)
    assert kept(record, two=two) == []


def test_without_the_reference_genome_only_what_the_panel_proves_is_carried() -> None:
    records = ("1 1 . A C . . . GT 0/1", "1 2 . C G . . . GT 0/1", "1 5 . A AC . . . GT 0/1")
    assert kept(*records, reference=False) == ["3 A C 0/1"]
    cohort = lifted(vcf(*records, meta=HEAD), PLAIN, panel_of((3, "A", "C")), reference=False)
    assert any(
        note.startswith("2 variants were left out: only the reference genome") for note in cohort.genome(0).report.notes
    )


def test_nothing_mitochondrial_is_carried_for_two_sequences_have_that_name() -> None:
    cohort = lifted(vcf("1 1 . A C . . . GT 0/1", "MT 5 . A G . . . GT 1/1", meta=HEAD), PLAIN, panel_of((3, "A", "C")))
    assert any(note.startswith("1 mitochondrial variant was lost") for note in cohort.genome(0).report.notes)


def test_stretches_without_variants_are_not_the_reference_of_the_new_assembly() -> None:
    block = "1 1 . A <NON_REF> . . END=9 GT 0/0"
    cohort = lifted(vcf(block, "1 11 . G T . . . GT 0/1", meta=HEAD), PLAIN, panel_of((3, "A", "C"), (13, "G", "T")))
    report = cohort.genome(0).report
    assert (report.called, report.in_blocks) == (1, 0)
    assert any("stretch without variants was left out" in note for note in report.notes)


def genotypes(panel_sites: list[tuple[int, str, str]], shift: int) -> list[str]:
    return [f"1 {pos - shift} . {one} {other} . . . GT 0/1" for pos, one, other in panel_sites]


SITES = [(pos, base, "ACGT"[("ACGT".index(base) + 1) % 4]) for pos, base in enumerate(PLAIN.new, start=1) if pos > 2]


def test_the_data_decide_whether_a_file_is_carried_and_the_header_where_they_cannot() -> None:
    panel = panel_of(*SITES)
    old, new = genotypes(SITES, 2), genotypes(SITES, 0)
    other = ["##contig=<ID=1,length=248956422>"]
    for records, header, shown in (
        (old, HEAD, "carried from GRCh37; its header says GRCh37; 110 of 110"),
        (old, other, "carried from GRCh37; its header says so; 110 of 110"),
        (old, [], "carried from GRCh37; its header does not say it; 110 of 110"),
        (new, HEAD, "its header says GRCh37; 110 of 110"),
        (old[:5], HEAD, "carried from GRCh37; its header says GRCh37; 5 of 5"),
        (new[:5], other, "its header says so; 5 of 5"),
    ):
        report = lifted(vcf(*records, meta=header), two=PLAIN, panel=panel, reference=False).genome(0).report
        assert report.assembly_by.startswith(shown)
    error = refused(lambda: lifted(vcf(*old[:5]), PLAIN, panel, reference=False))
    assert error is not None
    assert error.code == "vcf.wrong-assembly"


@pytest.mark.parametrize("reference", [True, False])
def test_a_chain_file_that_is_not_needed_is_told_and_changes_nothing_else(reference: bool) -> None:
    raw = vcf(*genotypes(SITES[:24], 0), "1 28 . TCAT T . . . GT 0/1", *genotypes(SITES[40:], 0))
    panel = panel_of(*SITES)
    genome = WholeReference({"1": PLAIN.new.encode()}) if reference else None
    with_chain = lifted(raw, PLAIN, panel, reference=reference).genome(0)
    without = import_genomes(source(raw, "genome"), panel, reference=genome).genome(0)
    assert with_chain.parquet == without.parquet
    assert with_chain.vector == without.vector
    assert set(with_chain.report.notes) == {
        *without.report.notes,
        "the chain file was not needed: the file is on GRCh38 already",
    }


def test_a_file_that_needs_no_chain_file_is_held_against_the_reference_genome_all_the_same() -> None:
    wrong = genotypes([(120, "C", "A")], 0)
    raw = vcf(*genotypes(SITES[:60], 0), *wrong)
    two = TwoAssemblies(PLAIN.old, PLAIN.new + "A" * 10, PLAIN.chain)
    error = refused(lambda: lifted(raw, two, panel_of(*SITES)))
    assert error is not None
    assert error.code == "vcf.reference"
    assert "line 63, REF: the reference genome has other bases than C at 1:120" in str(error)


def test_without_a_chain_file_a_vcf_is_told_which_to_give() -> None:
    error = refused(lambda: import_genomes(source(vcf(*genotypes(SITES, 2), meta=HEAD), "genome"), panel_of(*SITES)))
    assert error is not None
    assert "hg19ToHg38.over.chain.gz" in (error.hint or "")


@pytest.fixture(scope="module")
def hg38(shared_data: Path) -> Chain:
    with (shared_data / "reference/hg19ToHg38.over.chain.gz").open("rb") as file:
        return read_chain(Source(file, kind="chain"))


def test_real_people_have_the_letters_of_their_file_on_x(shared_data: Path, hg38: Chain) -> None:
    """51,608 variants of 26 people of both sexes; the panel has the old reference bases, turned where the strand is."""
    path = shared_data / "cohort/1kg_26s_chrX_b37.vcf.gz"
    with pysam.VariantFile(str(path)) as file:
        truth = {
            record.pos: [record.ref, record.alts[0], [call["GT"] for call in record.samples.values()]]
            for record in file
            if record.alts and len(record.alts) == 1 and len(record.ref) == len(record.alts[0]) == 1
        }
    old = np.array(list(truth))
    there = hg38.lift(np.full(len(old), 23), old)
    on_x = {
        int(new): (pos, bool(turned))
        for pos, code, new, turned in zip(old.tolist(), *there[:3], strict=True)
        if code == 23
    }
    # Every twentieth site has the old ALT as the new REF.
    keys = []
    for number, (new, (pos, turned)) in enumerate(sorted(on_x.items())):
        pair = [turn(base) if turned else base for base in truth[pos][:2]]
        keys.append(variant_key("X", new, *(reversed(pair) if number % 20 == 0 else pair)))
    panel = Panel("x", "1", "GRCh38", np.array(sorted(keys), np.uint64))
    with path.open("rb") as file:
        cohort = import_genomes(Source(file, path.name), panel, chain=hg38)
    assert "carried from GRCh37" in cohort.genome(0).report.assembly_by
    compared = 0
    for person in (0, 9, 25):
        for new, found in letters(cohort.genome(person).parquet).items():
            pos, turned = on_x[new]
            *pair, calls = truth[pos]
            said = "".join(sorted(pair[copy] for copy in calls[person] if copy is not None))
            assert found == ("".join(sorted(turn(said))) if turned else said)
            compared += 1
    assert compared > 3 * 45_000
