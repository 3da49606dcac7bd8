"""Any t of n shares give the key back, fewer give nothing, and liars are named."""

import itertools
import os

import pytest
from Crypto.Protocol.SecretSharing import Shamir
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.sharing import (
    MAX_TRIES,
    Share,
    combine,
    combine_accepted,
    combine_checked,
    deal,
    key_digest,
    split,
)

KEY = SecretBytes(bytes(range(32)))
SCHEMES = [(2, 2), (2, 3), (3, 3), (3, 5), (4, 7), (5, 5)]


def lie(share: Share) -> Share:
    value = share.value.reveal()
    return Share(share.index, SecretBytes(value[:-1] + bytes([value[-1] ^ 1])))


@pytest.mark.parametrize(("threshold", "shares"), SCHEMES)
def test_every_subset_of_threshold_shares_gives_the_key(threshold: int, shares: int) -> None:
    for chosen in itertools.combinations(split(KEY, threshold, shares), threshold):
        assert combine(chosen) == combine(chosen[::-1]) == KEY


@given(key=st.binary(min_size=32, max_size=32), scheme=st.sampled_from(SCHEMES), data=st.data())
@settings(max_examples=25, deadline=None)
def test_combining_agrees_with_the_library(key: bytes, scheme: tuple[int, int], data: st.DataObject) -> None:
    shares = split(SecretBytes(key), *scheme)
    chosen = data.draw(st.permutations(shares))[: scheme[0]]
    halves = [
        Shamir.combine([(s.index, s.value.reveal()[part]) for s in chosen], ssss=False)
        for part in (slice(0, 16), slice(16, 32))
    ]
    assert combine(chosen).reveal() == b"".join(halves) == key


def test_fewer_shares_than_the_threshold_give_another_key() -> None:
    assert combine(split(KEY, 3, 5)[:2]) != KEY


def test_splitting_twice_gives_different_shares() -> None:
    assert split(KEY, 2, 3)[0] != split(KEY, 2, 3)[0]


@pytest.mark.parametrize(("threshold", "shares"), [(1, 3), (0, 3), (4, 3), (2, 33), (2, 1)])
def test_senseless_thresholds_are_refused(threshold: int, shares: int) -> None:
    with pytest.raises(RejectedInputError, match="threshold"):
        split(KEY, threshold, shares)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_keys_and_shares_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(RejectedInputError):
        split(SecretBytes(bytes(length)), 2, 3)
    with pytest.raises(RejectedInputError):
        Share(1, SecretBytes(bytes(length)))


@pytest.mark.parametrize("index", [-1, 0, 33])
def test_share_indices_out_of_range_are_refused(index: int) -> None:
    with pytest.raises(RejectedInputError, match="index"):
        Share(index, KEY)


def test_a_keeper_cannot_count_twice() -> None:
    first, *_ = split(KEY, 2, 3)
    with pytest.raises(RejectedInputError, match="another keeper"):
        combine([first, first])
    with pytest.raises(RejectedInputError, match="another keeper"):
        combine_checked([first, lie(first)], 2, key_digest(KEY))


@pytest.mark.parametrize("liar", [0, 1, 2])
def test_one_liar_of_three_is_outvoted_and_named(liar: int) -> None:
    shares = list(split(KEY, 2, 3))
    shares[liar] = lie(shares[liar])
    combined = combine_checked(shares, 2, key_digest(KEY))
    assert combined.key == KEY
    assert combined.lying == (liar + 1,)


def test_two_liars_of_six_are_outvoted_and_named() -> None:
    shares = list(split(KEY, 3, 6))
    shares[0], shares[3] = lie(shares[0]), lie(shares[3])
    combined = combine_checked(shares, 3, key_digest(KEY))
    assert combined.key == KEY
    assert combined.lying == (1, 4)
    assert combined.disputed == ()


def test_liars_whose_lies_cancel_give_the_key_but_accuse_nobody_falsely() -> None:
    """Equal lies at 1 and 4 vanish at 0 in the company of 5: two polynomials have three shares each."""
    shares = list(split(KEY, 3, 5))
    shares[0], shares[3] = lie(shares[0]), lie(shares[3])
    combined = combine_checked(shares, 3, key_digest(KEY))
    assert combined.key == KEY
    assert combined.lying == ()
    assert combined.disputed == (1, 2, 3, 4)


def test_lying_keepers_cannot_keep_us_busy_for_ever() -> None:
    shares = [Share(i, SecretBytes(os.urandom(32))) for i in range(1, 33)]
    tries = []
    with pytest.raises(IntegrityError):
        combine_accepted(shares, 16, lambda key: bool(tries.append(key)))
    assert len(tries) == MAX_TRIES


def test_honest_keepers_are_not_accused() -> None:
    assert combine_checked(split(KEY, 2, 5), 2, key_digest(KEY)).lying == ()


def test_too_many_liars_are_an_integrity_error() -> None:
    first, second, third = split(KEY, 2, 3)
    with pytest.raises(IntegrityError, match="right data key"):
        combine_checked([lie(first), lie(second), third], 2, key_digest(KEY))


def test_too_few_shares_are_refused_before_anything_is_tried() -> None:
    with pytest.raises(RejectedInputError, match="are needed"):
        combine_checked(split(KEY, 3, 5)[:2], 3, key_digest(KEY))


def test_any_check_can_choose_the_key() -> None:
    shares = list(split(KEY, 2, 3))
    shares[0] = lie(shares[0])
    assert combine_accepted(shares, 2, lambda key: key == KEY).lying == (1,)


def test_shares_of_two_versions_do_not_mix() -> None:
    old, new = split(SecretBytes(os.urandom(32)), 2, 3), split(KEY, 2, 3)
    with pytest.raises(IntegrityError):
        combine_checked([old[0], new[1]], 2, key_digest(KEY))


def test_shares_do_not_show_when_printed() -> None:
    assert "hidden" in repr(split(KEY, 2, 3))


@given(st.integers(2, 6).flatmap(lambda n: st.tuples(st.integers(2, n), st.just(n))))
def test_any_threshold_of_dealt_shares_gives_the_key_that_came_with_them(sizes: tuple[int, int]) -> None:
    threshold, shares = sizes
    key, dealt = deal(threshold, shares)
    assert [share.index for share in dealt] == list(range(1, shares + 1))
    for chosen in itertools.combinations(dealt, threshold):
        assert combine(chosen) == key
    if threshold > 2:
        assert combine(dealt[: threshold - 1]) != key
    left = Shamir.combine([(share.index, share.value.reveal()[:16]) for share in dealt[:threshold]], ssss=False)
    assert left == key.reveal()[:16]


def test_no_two_keys_are_dealt_alike() -> None:
    assert deal(2, 3)[0] != deal(2, 3)[0]
    with pytest.raises(RejectedInputError):
        deal(1, 3)
