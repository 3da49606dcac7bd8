"""The network's panels: public objects on a storage that everyone may read, named by their own hash."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from nebula.genome.panel import Panel
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.ids import Hash32
from nebula.storage.writing import open_storage

_HEX = 64


@dataclass(frozen=True, slots=True)
class PanelShelf:
    """All panels of a network, at one place; which of them stand on the ledger is said there."""

    url: str

    def all(self) -> list[Panel]:
        """Return every panel, by name and version.

        Raises:
            IntegrityError: an object is not the panel that its name promises.
        """
        storage = open_storage(self.url)
        names = [name for name in storage.names() if len(name) == _HEX]
        found = [_checked(name, storage.get(name)) for name in names]
        return sorted(found, key=lambda panel: (panel.name, panel.version, panel.panel_id))

    def put(self, panel: Panel) -> None:
        """Put a panel where everyone finds it; putting it again changes nothing.

        Raises:
            RejectedInputError: ``panel.taken``, another panel has its name and version.
        """
        if any(called(one) == called(panel) and one.panel_id != panel.panel_id for one in self.all()):
            raise RejectedInputError(
                "panel.taken",
                f"another panel is called {called(panel)} already",
                hint="give this one another --name or --version",
            )
        open_storage(self.url).put(panel.panel_id.removeprefix("0x"), panel.to_bytes())

    def choose(self, wanted: str | None, *, published: Callable[[Hash32], bool] = lambda _panel: True) -> Panel:
        """Return the panel of this id, prefix of an id, name, or ``NAME@VERSION``; without a wish, the only one.

        Args:
            wanted: the wish.
            published: whether a panel stands on the ledger; the others are no choice. Without it all of them are one.

        Raises:
            RejectedInputError: there is none, the wish fits none or several, or none that is published.
        """
        panels = self.all()
        if not panels:
            raise RejectedInputError(
                "panel.none",
                "this network has no panel yet: the list of sites on which genotypes are compared",
                hint="`nebula panel build SITES.vcf.gz --name NAME` makes one from the sites of a VCF",
            )
        answering = [panel for panel in panels if wanted is None or _answers_to(panel, wanted)]
        fitting = [panel for panel in answering if published(panel.panel_id)]
        if len(fitting) == 1:
            return fitting[0]
        if answering and not fitting:
            raise _not_published(answering)
        choices = fitting or [panel for panel in panels if published(panel.panel_id)]
        listed = ", ".join(f"{called(panel)} ({panel.panel_id[:12]})" for panel in choices[:8])
        if not fitting:
            hint = f"there are: {listed}" if listed else "`nebula panel list` shows all; none is published yet"
            raise RejectedInputError("panel.unknown", f"no panel is called {wanted!r}", hint=hint)
        said = "there are several panels" if wanted is None else f"several panels answer to {wanted!r}"
        raise RejectedInputError("panel.several", said, hint=f"choose with --panel one of: {listed}")


def _not_published(panels: list[Panel]) -> RejectedInputError:
    names = [called(panel) for panel in panels]
    said = f"the panel {names[0]} does not stand" if len(names) == 1 else "none of these panels stands"
    named = shlex.quote(names[0]) if len(names) == 1 else "NAME@VERSION"
    listed = "" if len(names) == 1 else f"; there are: {', '.join(names[:8])}"
    return RejectedInputError(
        "panel.not-published",
        f"{said} on the ledger, and no study runs on such a one",
        hint=f"the network's operator publishes it: `nebula panel publish {named}`{listed}",
    )


def _answers_to(panel: Panel, wanted: str) -> bool:
    return wanted in (panel.name, called(panel)) or (
        len(wanted) > len("0x") and panel.panel_id.startswith(wanted.lower())
    )


def called(panel: Panel) -> str:
    """The name by which a panel is chosen where others have its name: ``NAME@VERSION``."""
    return f"{panel.name}@{panel.version}"


def _checked(name: str, raw: bytes) -> Panel:
    panel = Panel.from_bytes(raw)
    if panel.panel_id.removeprefix("0x") != name:
        raise IntegrityError("panel.altered", f"the object {name[:12]} is not the panel that its name promises")
    return panel
