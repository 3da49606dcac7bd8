"""What each party of a network could see in the end, counted where it lies."""

from dataclasses import dataclass
from pathlib import Path

from nebula.ledger.client import Network
from nebula.protocol.receipt import PublicRun


@dataclass(frozen=True, slots=True)
class Sightings:
    """Counts.

    Attributes:
        objects, object_bytes: on storage; all of them ciphertext.
        shares_per_keeper: of data keys, one for each object, sealed to that keeper.
        enrolled: records on the ledger, each a salted commitment.
        blocks: of the ledger.
        candidates: records that the hub ordered a run over.
        leaves: sealed notes to owners that the hub carries.
        result_bytes: of the result that the hub carries sealed.
    """

    objects: int
    object_bytes: int
    shares_per_keeper: int
    enrolled: int
    blocks: int
    candidates: int
    leaves: int
    result_bytes: int


def look_around(folder: Path, ledger: Network, public: PublicRun, *, enrolled: int, result_bytes: int) -> Sightings:
    """Count what lies where after a run."""
    sizes = [path.stat().st_size for path in (folder / "storage").rglob("*") if path.is_file()]
    return Sightings(
        objects=len(sizes),
        object_bytes=sum(sizes),
        shares_per_keeper=len(sizes),
        enrolled=enrolled,
        blocks=ledger.client.head().number,
        candidates=public.signed.receipt.record_count + sum(public.statement.dropped.values()),
        leaves=len(public.payouts),
        result_bytes=result_bytes,
    )
