"""What leaves an enclave: every owner stands on one page, and the largest leaf fits."""

import secrets

from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.messages import LeavesAnswer, OwnersReport
from nebula.protocol.messages.owner_to_hub import PAYOUT_PAGE
from nebula.protocol.money import MAX_ESCROW_WEI
from nebula.protocol.receipt import OWNERS_PAGE, OwnerLeaf, OwnersPage, Payout, RunOutput, SealedLeaf
from nebula.protocol.record import LEAF_INFO
from nebula.protocol.sealing import SealingKey, seal
from nebula.protocol.wire import MAX_MESSAGE_BYTES, parser, to_canonical

HASH, ADDRESS = "0x" + "ab" * 32, "0x" + "cd" * 20
MOST_WEI = str(MAX_ESCROW_WEI)


def payout(index: int) -> Payout:
    return Payout(index=index, address=ADDRESS, amount_wei=MOST_WEI)


def largest_leaf() -> SealedLeaf:
    inside = OwnerLeaf(
        study=HASH,
        run=HASH,
        record=ADDRESS,
        leaf_salt=secrets.token_bytes(32),
        use_index=2**32 - 1,
        use_proof=(HASH,) * 32,
        payout_index=2**32 - 1,
        payout_address=ADDRESS,
        amount_wei=MOST_WEI,
        ephemeral_public_key=bytes(33),
    )
    sealed = seal(SealingKey.generate().public_key, to_canonical(inside), info=LEAF_INFO, aad=HASH.encode())
    return SealedLeaf(locator=bytes(16), sealed=sealed)


def test_a_leaf_of_a_run_over_four_billion_records_fits_and_so_do_pages_of_them() -> None:
    leaf = largest_leaf()
    assert parser(SealedLeaf)(to_canonical(leaf)) == leaf
    assert len(to_canonical(LeavesAnswer(leaves=(leaf,) * PAYOUT_PAGE, next_after=1))) < 0.9 * MAX_MESSAGE_BYTES
    page = OwnersPage(first=0, payouts=(payout(2**32 - 1),) * OWNERS_PAGE, leaves=(leaf,) * OWNERS_PAGE)
    assert len(to_canonical(OwnersReport(run=HASH, session=ADDRESS, page=page))) < MAX_MESSAGE_BYTES


@given(st.integers(0, 40), st.integers(1, 50))
def test_every_owner_stands_on_one_page(owners: int, size: int) -> None:
    payouts = tuple(map(payout, range(owners)))
    leaves = tuple(SealedLeaf(locator=index.to_bytes(16, "big"), sealed=b"") for index in range(owners))
    pages = list(RunOutput(None, payouts, leaves).pages(size))  # type: ignore[arg-type]
    assert tuple(one for page in pages for one in page.payouts) == payouts
    assert tuple(one for page in pages for one in page.leaves) == leaves
    assert [page.first for page in pages] == list(range(0, owners, size))
