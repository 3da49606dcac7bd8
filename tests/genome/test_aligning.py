"""Holding variants against the reference genome afterwards gives what reading with it gives at once."""

import random

import numpy as np
import pytest

from genome.repeats import repetitive, simulated
from genome.vcf_text import refused, source, vcf
from nebula.genome.aligning import Places, Verdict, align, bases_at
from nebula.genome.keys import variant_keys
from nebula.genome.reference import IndexedReference, Reference, WholeReference
from nebula.genome.texts import Texts
from nebula.genome.vcf import VcfReader

SEQUENCE = "GGGCACacACAGGG"
GENOME = WholeReference({"1": SEQUENCE.encode()})


def aligned(pos: int, reference: str, alternate: str, genome: Reference = GENOME) -> tuple[int, int, int, str, str]:
    places = Places(["GL1", "chr1"], np.array([1], np.uint16), np.array([pos], np.int32))
    found = align(genome, places, Texts.of([reference]), Texts.of([alternate]))
    return int(found.verdict[0]), int(found.pos[0]), int(found.last[0]), found.reference[0], found.alternate[0]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_aligned_afterwards_is_what_is_read_with_the_reference_genome(seed: int) -> None:
    chooser = random.Random(seed)
    letters = repetitive(chooser, 4000)
    genome = WholeReference({"1": letters.encode()})
    keys = ("GT", "String"), ("DP", "Integer"), ("GQ", "Integer")
    meta = [f'##FORMAT=<ID={key},Number=1,Type={kind},Description="{key}">' for key, kind in keys]
    raw = vcf(*(record.replace("\t", " ") for record in simulated(chooser, "1", letters)), meta=meta)
    (plain,), (at_once,) = list(VcfReader(source(raw))), list(VcfReader(source(raw), reference=genome))
    found = align(genome, Places(["1"], plain.contig, plain.pos), plain.reference, plain.alternate)
    assert (found.verdict == Verdict.FITS).all()
    keys = variant_keys(np.ones(len(plain.key), np.uint8), found.pos, found.reference, found.alternate)
    # Reading puts what it moves where it belongs then.
    afterwards, read = (np.argsort(key, kind="stable") for key in (keys, at_once.key))
    assert np.array_equal(plain.line[afterwards], at_once.line[read])
    assert np.array_equal(found.pos[afterwards], at_once.pos[read])
    for ours, theirs in ((found.reference, at_once.reference), (found.alternate, at_once.alternate)):
        assert [ours[row] for row in afterwards] == [theirs[row] for row in read]
    indels = plain.reference.lengths() != plain.alternate.lengths()
    assert (found.pos < plain.pos).sum() > 50
    assert (found.last[indels] >= plain.pos[indels] + plain.reference.lengths()[indels] - 1).all()


def test_a_change_hangs_on_the_bases_on_both_sides_of_its_repeat() -> None:
    # CACACACA stands from 4 to 11.
    for pos, reference, alternate in ((3, "GCA", "G"), (8, "CAC", "C"), (9, "ACA", "A")):
        assert aligned(pos, reference, alternate) == (Verdict.FITS, 3, 12, "GCA", "G")
    assert aligned(5, "A", "ACA") == (Verdict.FITS, 3, 12, "G", "GCA")
    assert aligned(3, "GC", "TT") == (Verdict.FITS, 3, 4, "GC", "TT")


def test_what_does_not_fit_stays_as_it_is() -> None:
    assert aligned(8, "CAG", "C") == (Verdict.OTHER, 8, 10, "CAG", "C")
    assert aligned(13, "GGA", "G") == (Verdict.OTHER, 13, 15, "GGA", "G")
    assert aligned(0, "G", "C")[0] == Verdict.OTHER
    assert aligned(8, "CAC", "C", WholeReference({"2": SEQUENCE.encode()}))[0] == Verdict.UNKNOWN


def test_an_iupac_code_is_no_allele_though_the_reference_genome_has_it() -> None:
    places = Places(["1"], np.zeros(2, np.uint16), np.array([1, 2], np.int32))
    found = align(WholeReference({"1": b"ARC"}), places, Texts.of(["A", "R"]), Texts.of(["T", "T"]))
    assert found.verdict.tolist() == [Verdict.FITS, Verdict.OTHER]


def test_the_base_at_each_place_is_read_in_whatever_order() -> None:
    places = Places(["1", "2"], np.array([0, 1, 0, 0, 0], np.uint16), np.array([14, 1, 7, 15, 0], np.int32))
    assert bases_at(GENOME, places).tolist() == [ord("G"), 0, ord("A"), 0, 0]


def test_a_reference_genome_that_its_index_does_not_fit_is_told() -> None:
    cut = IndexedReference(source(b">1\nGGGCAC", "fasta"), b"1\t14\t3\t14\t15\n")
    error = refused(lambda: aligned(9, "ACA", "A", cut))
    assert error is not None
    assert error.code == "fasta.index"
