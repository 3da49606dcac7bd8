"""What a hub's operator does by hand, on the operator's own machine, with the key that the hub acts with."""

from pathlib import Path

from nebula.genome.panel import Panel
from nebula.hub.settings import HubSettings
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import PANEL, Accepted, PanelPublication
from nebula.protocol.wire import parser, to_canonical
from nebula.transport.client import Carrier, Peer
from nebula.transport.keyfiles import load_key
from nebula.transport.urls import url_here

_parse_publication = parser(PanelPublication)


def publish(settings: HubSettings, panel: Panel) -> None:
    """Have the hub enter a panel on the ledger; a panel that stands there already is done.

    Raises:
        RejectedInputError: ``panel.name``; the ledger has no room for such a name or version.
        NotPermittedError: the ledger refuses.
        UnavailableError: the hub or the ledger is away.
    """
    publication = publication_of(panel)
    key = SigningKey.from_secret(load_key(Path(settings.signing_key_file)))
    hub = Peer(url_here(settings.host, settings.port), key.address, key=key.secret, carrier=Carrier())
    hub.ask(PANEL, publication, Accepted)


def publication_of(panel: Panel) -> PanelPublication:
    """Return what stands on the ledger of a panel.

    Raises:
        RejectedInputError: ``panel.name``.
    """
    unchecked = PanelPublication(panel=panel.panel_id, name=panel.name, version=panel.version)
    try:
        return _parse_publication(to_canonical(unchecked))
    except RejectedInputError as error:
        raise RejectedInputError(
            "panel.name",
            f"the ledger has no room for a panel called {panel.name[:80]!r} of version {panel.version[:40]!r}",
            hint="build it under a name of at most 64 and a version of at most 32 printable ASCII characters",
        ) from error
