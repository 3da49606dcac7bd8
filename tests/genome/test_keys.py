import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nebula.genome import keys as variant_keys
from nebula.genome.chromosomes import NAMES, assembly_by_lengths, assembly_by_name, chromosome_code
from nebula.genome.texts import Texts

ALLELES = st.text("ACGT", min_size=1, max_size=8)
VARIANTS = st.tuples(st.integers(1, 25), st.integers(1, 1 << 28), ALLELES, ALLELES)


def slow_key(code: int, pos: int, reference: str, alternate: str) -> int:
    bits = f"{code:05b}{pos - 1:028b}{len(reference):04b}{len(alternate):04b}"
    bits += "".join(f"{'ACGT'.index(base):02b}" for base in reference + alternate)
    return int(bits.ljust(64, "0"), 2)


@given(VARIANTS)
def test_short_alleles_are_spelt_out_and_read_back(variant: tuple[int, int, str, str]) -> None:
    code, pos, reference, alternate = variant
    key = variant_keys.variant_key(NAMES[code], pos, reference, alternate)
    keys = np.array([key], np.uint64)
    assert (variant_keys.chromosomes(keys)[0], variant_keys.positions(keys)[0]) == (code, pos)
    assert variant_keys.place(np.array([code]), np.array([pos])) == variant_keys.places(keys)
    if len(reference) + len(alternate) <= 11:
        assert key == slow_key(code, pos, reference, alternate)
        assert variant_keys.spelt_alleles(key) == (reference, alternate)
    assert bool(variant_keys.hashed(keys)[0]) == (len(reference) + len(alternate) > 11)


@given(st.lists(VARIANTS))
def test_many_keys_are_made_and_read_as_one_is(variants: list[tuple[int, int, str, str]]) -> None:
    codes, pos, reference, alternate = ([variant[part] for variant in variants] for part in range(4))
    texts = Texts.of(list(map(str, reference))), Texts.of(list(map(str, alternate)))
    keys = variant_keys.variant_keys(np.array(codes, np.uint8), np.array(pos, np.int32), *texts)
    assert keys.tolist() == [variant_keys.variant_key(NAMES[code], *rest) for code, *rest in variants]
    spelt = ~variant_keys.hashed(keys)
    assert np.array_equal(variant_keys.reference_lengths(keys)[spelt], texts[0].lengths()[spelt])
    for number in (0, 1):
        letters = [ord(f"{one}{other}"[number]) for _, _, one, other in variants]
        assert variant_keys.spelt_base(keys, number).tolist() == np.where(spelt, letters, 0).tolist()


@given(VARIANTS, VARIANTS)
def test_keys_sort_as_chromosome_and_position_do(
    one: tuple[int, int, str, str], other: tuple[int, int, str, str]
) -> None:
    if one[:2] != other[:2]:
        ours, theirs = (variant_keys.variant_key(NAMES[code], *rest) for code, *rest in (one, other))
        assert (ours < theirs) == (one[:2] < other[:2])


def test_contigs_that_are_no_chromosome_have_no_key() -> None:
    assert variant_keys.variant_key("GL000192.1", 5, "A", "C") == 0
    assert [chromosome_code(name) for name in ("chr1", "22", "X", "chrM", "MT", "23", "")] == [1, 22, 23, 25, 25, 0, 0]


def test_an_assembly_is_known_by_lengths_that_all_agree() -> None:
    assert assembly_by_lengths({"chr1": 249250621, "chr2": 243199373, "GL1": 5}) == "GRCh37"
    assert assembly_by_lengths({"1": 248956422}) == "GRCh38"
    assert assembly_by_lengths({"1": 248956422, "2": 243199373}) is None
    assert assembly_by_lengths({"X": 2147483647}) is None


def test_an_assembly_is_known_by_one_name_only() -> None:
    assert assembly_by_name("file:///human_g1k_v37.fasta") == "GRCh37"
    assert assembly_by_name("hg38") == "GRCh38"
    assert assembly_by_name("lifted from hg19 to hg38") is None


def slow_hash(reference: str, alternate: str) -> int:
    """VariantKey's hash of alleles, in arithmetic modulo 2^32, as its paper gives it."""
    word = 1 << 32

    def turned(value: int, right: int) -> int:
        return (value >> right | value << (32 - right)) % word

    def mix(value: int, state: int) -> int:
        value = turned(value * 0xCC9E2D51 % word, 17) * 0x1B873593 % word
        return (turned(state ^ value, 19) * 5 + 0xE6546B64) % word

    def allele(text: str) -> int:
        state = 0
        for start in range(0, len(text), 6):
            letters = text[start : start + 6].ljust(6, "@")
            state = mix(sum((ord(letter) - 64) << (26 - 5 * place) for place, letter in enumerate(letters)), state)
        return state

    state = mix(allele(alternate), mix(3, allele(reference)))
    state = (state ^ state >> 16) * 0x85EBCA6B % word
    state = (state ^ state >> 13) * 0xC2B2AE35 % word
    return (state ^ state >> 16) >> 1 | 1


@given(st.text("ACGTN", min_size=6, max_size=40), st.text("ACGTN", min_size=6, max_size=40))
def test_long_alleles_are_hashed_as_the_slow_twin_does(reference: str, alternate: str) -> None:
    key = variant_keys.variant_key("7", 1, reference, alternate)
    assert key & ((1 << 31) - 1) == slow_hash(reference, alternate)
