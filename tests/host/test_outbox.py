"""What waits for the hub: whole or not at all, and as the worker wrote it."""

from pathlib import Path

import pytest

from nebula.host.outbox import Outbox
from nebula.protocol.errors import IntegrityError, RejectedInputError, UnavailableError
from nebula.protocol.receipt import RunOutput
from nebula.protocol.wire import to_canonical
from simulators.storage import MemoryStorage
from simulators.studies import make_world

RUN = "0x" + "77" * 32


@pytest.fixture(scope="module")
def output() -> RunOutput:
    return make_world(MemoryStorage()).run()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def keep(outbox: Outbox, output: RunOutput) -> None:
    draft = outbox.begin(RUN)
    for page in output.pages(7):
        draft.add_page(to_canonical(page))
    draft.finish(to_canonical(output.head))


def test_what_was_kept_comes_out_as_it_was_in_its_order(outbox: Outbox, output: RunOutput) -> None:
    keep(outbox, output)
    (kept,) = outbox.waiting()
    assert (kept.run, kept.head) == (RUN, output.head)
    assert list(kept.pages()) == list(output.pages(7))


def test_a_page_goes_when_the_next_one_is_asked_for(outbox: Outbox, output: RunOutput) -> None:
    keep(outbox, output)
    (kept,) = outbox.waiting()
    pages = kept.pages()
    first, second = next(pages), next(pages)
    assert first.first < second.first
    assert next(kept.pages()) == second


def test_an_output_without_its_head_is_none(outbox: Outbox, output: RunOutput) -> None:
    assert outbox.waiting() == []
    outbox.begin(RUN).add_page(to_canonical(next(output.pages(7))))
    assert outbox.waiting() == []
    assert list(outbox.folder.iterdir()) == []


def test_a_stray_file_is_no_output_and_stays(outbox: Outbox, output: RunOutput) -> None:
    keep(outbox, output)
    (outbox.folder / ".stray").write_text("")
    assert [kept.run for kept in outbox.waiting()] == [RUN]
    assert (outbox.folder / ".stray").exists()


def test_a_new_beginning_leaves_nothing_of_the_one_before(outbox: Outbox, output: RunOutput) -> None:
    keep(outbox, output)
    outbox.begin(RUN).finish(to_canonical(output.head))
    (kept,) = outbox.waiting()
    assert list(kept.pages()) == []


@pytest.mark.parametrize("raw", [b"", b"{}", b"\x00" * 100])
def test_what_is_no_page_and_no_head_is_not_kept(outbox: Outbox, raw: bytes) -> None:
    draft = outbox.begin(RUN)
    with pytest.raises(RejectedInputError):
        draft.add_page(raw)
    with pytest.raises(RejectedInputError):
        draft.finish(raw)
    assert list(draft.folder.iterdir()) == []


def test_a_head_that_the_disk_altered_is_named(outbox: Outbox, output: RunOutput) -> None:
    keep(outbox, output)
    (kept,) = outbox.waiting()
    (kept.folder / "head.json").write_bytes(b"{}")
    with pytest.raises(IntegrityError, match="is damaged"):
        _ = kept.head


def test_a_disk_that_takes_nothing_is_away(outbox: Outbox) -> None:
    outbox.folder.write_bytes(b"a file where a folder should be")
    with pytest.raises(UnavailableError) as refusal:
        outbox.begin(RUN)
    assert refusal.value.code == "host.outbox"
