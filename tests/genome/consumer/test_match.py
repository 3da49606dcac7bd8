from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nebula.genome.consumer.match import Markers, Match, match
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel

COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}
NAMES = ("1", "2", "X")
Site = tuple[str, int, str, str]
Marker = tuple[int, int, str, str]


def slow_match(markers: list[Marker], sites: list[Site], *, plus_strand: bool) -> Match:
    """As ``match``, place by place, with sets of letters; sites in panel order."""
    met = fitting = strangers = turned = palindromes = conflicts = 0
    rows, codes, haploid = [], [], []
    there = defaultdict(list)
    for chromosome, pos, first, second in markers:
        if chromosome and first in COMPLEMENT and (not second or second in COMPLEMENT):
            there[chromosome, pos].append((first, second))
    single = defaultdict(list)
    for row, (name, pos, reference, alternate) in enumerate(sites):
        if len(reference) == len(alternate) == 1:
            single[{"1": 1, "2": 2, "X": 23}[name], pos].append((row, reference, alternate))
    for place, here in single.items():
        if place not in there:
            continue
        alleles = {allele for _, reference, alternate in here for allele in (reference, alternate)}
        palindrome = any(COMPLEMENT[allele] in alleles for allele in alleles)
        letters = list(there[place][0])
        genotype = {letter for letter in letters if letter}
        opposite = {COMPLEMENT[letter] for letter in genotype}
        agree = all({letter for letter in other if letter} == genotype for other in there[place])
        direct, turnable = genotype <= alleles, opposite <= alleles
        telling = plus_strand or (len(genotype) == 2 and not palindrome)
        fits = direct or (turnable and not plus_strand)
        met, fitting = met + telling, fitting + (telling and fits)
        strangers, turned = strangers + (not direct), turned + (not direct and turnable and not palindrome)
        palindromes, conflicts = palindromes + (palindrome and not plus_strand), conflicts + (not agree)
        if not direct and turnable and not plus_strand:
            letters = [COMPLEMENT.get(letter, "") for letter in letters]
        for row, _, alternate in here:
            usable = fits and agree and (plus_strand or not palindrome)
            rows.append(row)
            codes.append(letters.count(alternate) if usable else 3)
            haploid.append(not letters[1])
    arrays = np.array(rows, np.int64), np.array(codes, np.uint8), np.array(haploid, np.bool_)
    return Match(*arrays, met, fitting, strangers, turned, palindromes, conflicts)


def columns(markers: list[Marker]) -> Markers:
    ascii_of = [[ord(letter) if letter else 0 for letter in marker[2:]] for marker in markers]
    letters = np.array(ascii_of, np.uint8).reshape(-1, 2)
    chromosome = np.array([marker[0] for marker in markers], np.uint8)
    pos = np.array([marker[1] for marker in markers], np.int32)
    return Markers(chromosome, pos, *(np.ascontiguousarray(letters[:, copy]) for copy in (0, 1)))


POSITIONS = st.integers(1, 12)
ALLELES = st.sampled_from(["A", "C", "G", "T", "AC", "GT", "A" * 12])
SITES = st.lists(st.tuples(st.sampled_from(NAMES), POSITIONS, ALLELES, ALLELES), min_size=1, max_size=30, unique=True)
LETTERS = st.sampled_from("ACGTACGTACGTID-")
MARKERS = st.lists(st.tuples(st.sampled_from([0, 1, 2, 23]), POSITIONS, LETTERS, LETTERS | st.just("")), max_size=40)


@given(markers=MARKERS, sites=SITES, plus_strand=st.booleans())
def test_matching_is_what_place_by_place_comparison_of_letters_says(
    markers: list[Marker], sites: list[Site], plus_strand: bool
) -> None:
    by_key = {variant_key(*site): site for site in sites}
    keys = sorted(by_key)
    long_alleles = {key: by_key[key][2:] for key in keys if key & 1}
    panel = Panel("p", "1", "GRCh38", np.array(keys, np.uint64), long_alleles)
    found = match(columns(markers), panel, plus_strand=plus_strand)
    expected = slow_match(markers, [by_key[key] for key in keys], plus_strand=plus_strand)
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)
