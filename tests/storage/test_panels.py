"""Which panel is meant, by name or id, and which of them are a choice at all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel
from nebula.protocol.errors import RejectedInputError
from nebula.storage.panels import PanelShelf

OLDER, NEWER, DRAFT = (
    Panel(name, version, "GRCh38", np.array([variant_key("1", 1000 + place, "A", "G")], dtype=np.uint64))
    for place, (name, version) in enumerate([("common", "1"), ("common", "2"), ("draft", "1")])
)


@pytest.fixture
def shelf(tmp_path: Path) -> PanelShelf:
    found = PanelShelf(tmp_path.as_uri())
    for panel in (OLDER, NEWER, DRAFT):
        found.put(panel)
    return found


def standing(*panels: Panel) -> Callable[[str], bool]:
    return lambda panel: panel in {one.panel_id for one in panels}


def refusal(shelf: PanelShelf, wanted: str | None, *published: Panel) -> RejectedInputError:
    with pytest.raises(RejectedInputError) as refused:
        shelf.choose(wanted, published=standing(*published))
    return refused.value


def test_without_a_wish_the_only_published_panel_is_meant(shelf: PanelShelf) -> None:
    assert shelf.choose(None, published=standing(NEWER)).panel_id == NEWER.panel_id
    assert shelf.choose("common", published=standing(NEWER)).panel_id == NEWER.panel_id


def test_what_is_not_published_is_not_offered(shelf: PanelShelf) -> None:
    hint = str(refusal(shelf, None, OLDER, NEWER).hint)
    assert "common@1" in hint
    assert "common@2" in hint
    assert "draft" not in hint
    assert "draft" not in str(refusal(shelf, "rare", OLDER, NEWER).hint)
    assert "none is published" in str(refusal(shelf, "rare").hint)


@pytest.mark.parametrize("wanted", ["draft", "draft@1", DRAFT.panel_id[:12]])
def test_a_panel_that_is_not_published_is_told_so(shelf: PanelShelf, wanted: str) -> None:
    refused = refusal(shelf, wanted, OLDER)
    assert refused.code == "panel.not-published"
    assert "`nebula panel publish draft@1`" in str(refused.hint)


def test_where_no_panel_is_published_none_is_chosen_for_anybody(shelf: PanelShelf) -> None:
    assert refusal(shelf, None).code == "panel.not-published"


def test_records_may_be_on_panels_that_are_not_published(shelf: PanelShelf) -> None:
    assert shelf.choose("draft").panel_id == DRAFT.panel_id
    with pytest.raises(RejectedInputError, match="several panels answer"):
        shelf.choose("common")


def test_two_panels_are_not_called_alike(shelf: PanelShelf) -> None:
    shelf.put(NEWER)
    other = Panel(NEWER.name, NEWER.version, "GRCh38", DRAFT.keys)
    with pytest.raises(RejectedInputError, match="another panel is called common@2 already") as refused:
        shelf.put(other)
    assert refused.value.code == "panel.taken"
    assert shelf.choose("common@2").panel_id == NEWER.panel_id
