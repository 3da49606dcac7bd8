from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from nebula.database import open_database, reading, writing
from nebula.hub import outputs, state, tables
from nebula.hub.state import RunState
from nebula.protocol.duo import Purpose
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.funding import study_id
from nebula.protocol.study import PartKind, PurposeTerms, StudyDocument

RUN = "0x" + "11" * 32


def a_study(title: str = "A study of lipids") -> StudyDocument:
    return StudyDocument(
        chain_id=20017,
        buyer="0x" + "01" * 20,
        operator="0x" + "02" * 20,
        result_key=bytes(31) + b"\x09",
        title=title,
        summary="We look for variants that act on blood lipids.",
        purpose=PurposeTerms(purposes=(Purpose.HEALTH,)),
        analysis="gwas-linear@1",
        parameters={"trait": "ldl"},
        parts=(PartKind.GENOTYPES,),
        panel="0x" + "33" * 32,
        price_per_record_wei="5",
        fee_wei="7",
        min_records=100,
        max_records=1000,
        deadline=2_000_000_000,
        keepers=("0x" + "04" * 20, "0x" + "05" * 20),
        keeper_threshold=2,
        measurement="0x" + "06" * 32,
        trust_root="0x" + "07" * 32,
    )


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url, tables.metadata, party="hub")
    yield opened
    opened.dispose()


def test_publishing_again_changes_nothing(engine: Engine) -> None:
    study = a_study()
    for _ in range(2):
        with writing(engine) as connection:
            state.add_study(connection, study_id(study), study)

    with reading(engine) as connection:
        page, following = state.list_studies(connection, after=0, limit=10)
    assert [document for _, _, document in page] == [study]
    assert following is None


def test_studies_come_in_pages_in_their_order(engine: Engine) -> None:
    titles = [f"Study number {number}" for number in range(7)]
    with writing(engine) as connection:
        for title in titles:
            state.add_study(connection, study_id(a_study(title)), a_study(title))

    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        with reading(engine) as connection:
            page, after = state.list_studies(connection, after=after, limit=3)
        seen += [document.title for _, _, document in page]
    assert seen == titles


def test_a_run_keeps_its_first_state_when_it_is_opened_again(engine: Engine) -> None:
    study = a_study()
    with writing(engine) as connection:
        state.add_study(connection, study_id(study), study)
        state.add_run(connection, RUN, study_id(study), deadline=study.deadline)
        state.set_state(connection, RUN, RunState.ORDERED)
        state.add_run(connection, RUN, study_id(study), deadline=study.deadline)

    with reading(engine) as connection:
        assert state.get_run(connection, RUN).state is RunState.ORDERED
        assert list(state.open_orders(connection)) == [(RUN, study)]


def test_what_is_not_there_is_refused_by_name(engine: Engine) -> None:
    with reading(engine) as connection, pytest.raises(RejectedInputError):
        state.get_run(connection, RUN)
    with reading(engine) as connection, pytest.raises(RejectedInputError):
        outputs.get_public_run(connection, RUN)
