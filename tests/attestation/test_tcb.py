from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.attestation.claims import TcbStatus
from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.pck import Platform
from nebula.attestation.tcb import Component, PlatformTcb, TcbInfo, TcbLevel, match_platform

Row = tuple[tuple[int, ...], int, TcbStatus]
svns = st.tuples(*[st.integers(0, 2)] * 16)
levels = st.lists(st.tuples(svns, st.integers(0, 2), st.sampled_from(list(TcbStatus))), max_size=6)


def info(rows: list[Row]) -> TcbInfo:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return TcbInfo(
        id="SGX",
        version=3,
        issue_date=day,
        next_update=day,
        fmspc="000000000000",
        pce_id="0000",
        tcb_evaluation_data_number=17,
        tcb_levels=tuple(
            TcbLevel(
                tcb=PlatformTcb(sgxtcbcomponents=tuple(Component(svn=s) for s in row), pcesvn=pce), tcb_status=status
            )
            for row, pce, status in rows
        ),
    )


@given(levels, svns, st.integers(0, 2))
def test_the_level_is_the_highest_that_is_reached_in_every_component(
    rows: list[Row], components: tuple[int, ...], pce_svn: int
) -> None:
    platform = Platform(ppid=bytes(16), fmspc=bytes(6), pce_id=bytes(2), components=components, pce_svn=pce_svn)
    reached = [
        (row, pce)
        for row, pce, _ in rows
        if pce <= pce_svn and all(have >= least for have, least in zip(components, row, strict=True))
    ]
    if not reached:
        with pytest.raises(QuoteRejectedError, match="reaches no TCB level"):
            match_platform(info(rows), platform)
        return
    level = match_platform(info(rows), platform)
    assert (level.tcb.components, level.tcb.pcesvn) == max(reached)


@given(levels.flatmap(st.permutations), svns)
def test_the_order_of_levels_in_the_document_does_not_matter(rows: list[Row], components: tuple[int, ...]) -> None:
    platform = Platform(ppid=bytes(16), fmspc=bytes(6), pce_id=bytes(2), components=components, pce_svn=2)

    def found(some: list[Row]) -> PlatformTcb | None:
        try:
            level = match_platform(info(some), platform)
        except QuoteRejectedError:
            return None
        return level.tcb

    assert found(rows) == found(rows[::-1])
