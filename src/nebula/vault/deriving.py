"""The vector of a record on a further panel, from what is on storage already: see :mod:`nebula.vault.rederive`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from nebula.genome.imported import ImportedCohort
from nebula.genome.importing import import_record
from nebula.genome.inflate import Source
from nebula.genome.panel import Panel
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.record import Manifest
from nebula.protocol.study import PartKind
from nebula.vault.enrol import keys_of
from nebula.vault.import_ import Vault
from nebula.vault.manifests import manifest_of, read_part
from nebula.vault.original import open_original
from nebula.vault.parts import PlainPart
from nebula.vault.reading import read_source
from nebula.vault.state import Record


@dataclass(frozen=True, slots=True)
class Derived:
    """A record's vector on a further panel, before it is stored. ``call_rate``: share of its sites with a genotype."""

    record: Record
    manifest: Manifest
    part: PlainPart
    call_rate: float


def is_on(manifest: Manifest, panel: Panel) -> bool:
    """Whether a record has a vector on a panel."""
    return any(part.kind is PartKind.GENOTYPES and part.panel == panel.panel_id for part in manifest.parts)


def from_original(
    vault: Vault,
    record: Record,
    panel: Panel,
    *,
    reference: Path | None = None,
    chain: Path | None = None,
    lenient: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Derived | None:
    """Read a record's original file again, onto a further panel; None where the record has a vector on it.

    Args:
        vault: whose record it is.
        record: as the ledger has it.
        panel: whose sites the new vector is of.
        reference: as for the import of the file, like ``chain`` and ``lenient``: none of the three is noted anywhere.
        chain: see :func:`nebula.vault.reading.read_genomes`.
        lenient: likewise.
        progress: called with the bytes read so far.

    Raises:
        RejectedInputError: ``rederive.original``; the file was not kept. Or it is not valid on this panel.
        UnavailableError: the storage is away, or has lost it.
        IntegrityError: the storage altered it.
    """
    manifest = manifest_of(vault.owner, record)
    if is_on(manifest, panel):
        return None
    if manifest.original is UNSET:
        raise RejectedInputError(
            "rederive.original",
            f"the file that record {record.label!r} was made of was not kept, so that it cannot be read again",
            hint="import the file again under another label, then withdraw this record: both at once count you twice",
        )
    with open_original(manifest.original, keys_of(vault.owner, record).crypt4gh_identity()) as opened:
        source = Source(opened, name=f"the original of {record.label}", progress=progress)
        genomes = read_source(source, panel, reference=reference, chain=chain, lenient=lenient)
    return _derived(record, manifest, panel, genomes)


def from_standard_record(vault: Vault, record: Record, panel: Panel) -> Derived | None:
    """Place a record's standard record on a further panel; None where the record has a vector on it.

    Raises:
        RejectedInputError: ``rederive.assembly``; it is on another assembly. ``rederive.variants``; there is none.
        UnavailableError: the storage is away, or has lost it.
        IntegrityError: the storage altered it.
    """
    manifest = manifest_of(vault.owner, record)
    if is_on(manifest, panel):
        return None
    part = next((part for part in manifest.parts if part.kind is PartKind.VARIANTS), None)
    if part is None:
        raise RejectedInputError("rederive.variants", f"record {record.label!r} has no standard record")
    if part.assembly != panel.assembly:
        raise RejectedInputError(
            "rederive.assembly",
            f"record {record.label!r} is on {part.assembly}, the panel on {panel.assembly}",
            hint=f"choose a panel on {part.assembly}",
        )
    genomes = import_record(read_part(vault.owner, record, part), panel, sample=record.label)
    return _derived(record, manifest, panel, genomes)


def _derived(record: Record, manifest: Manifest, panel: Panel, genomes: ImportedCohort) -> Derived:
    part = PlainPart(
        kind=PartKind.GENOTYPES,
        plaintext=genomes.vector(0).to_bytes(),
        assembly=panel.assembly,
        panel=panel.panel_id,
    )
    return Derived(record, manifest, part, float(genomes.call_rates()[0]))
