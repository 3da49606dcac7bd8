"""A record's genotypes on a further panel, derived from what is on storage already: nothing is uploaded again.

(1) An owner's own record is read again from the file that was kept as it came; a donor's, whose cohort file is not
kept, from its standard record. (2) The new vector, and a new manifest over it and the parts that were there, are put on
storage. (3) In one transaction the vault has the record under that manifest and the next version, at stage *stored*,
and what it had prepared for keepers of the record as it was is gone. (4) Enrolling takes it to the ledger as it does a
new record; see :mod:`nebula.vault.enrol`. The consent is the one that there was, under the salt that it had.

Until the ledger has the new version, the old one holds, with its shares at the keepers: a withdrawal ends either.
Killed before (3), nothing has changed but two objects on storage that nothing names; killed after it, enrolling goes
on.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import UNSET

from nebula.database import reading, writing
from nebula.genome.importing import ImportedCohort, import_record
from nebula.genome.inflate import Source
from nebula.genome.panel import Panel
from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.protocol.record import Manifest
from nebula.protocol.study import PartKind
from nebula.storage import parse_location
from nebula.vault import state
from nebula.vault.enrol import keys_of
from nebula.vault.import_ import PAGE, WRITERS, Vault, read_source
from nebula.vault.manifests import manifest_of, read_part
from nebula.vault.original import open_original
from nebula.vault.parts import PlainPart, StoredRecord, store_with_part
from nebula.vault.state import Record, Stage


@dataclass(frozen=True, slots=True)
class Derived:
    """A record's vector on a further panel, before it is stored. ``call_rate``: share of its sites with a genotype."""

    record: Record
    manifest: Manifest
    part: PlainPart
    call_rate: float


@dataclass(frozen=True, slots=True)
class Donors:
    """What came of many donors' records. ``lowest``, ``mean``: the new vectors' call rates; None where none is new."""

    new: int
    known: int
    lowest: float | None
    mean: float | None


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
        chain: see :func:`nebula.vault.import_.read_genomes`.
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


def store(vault: Vault, derived: Sequence[Derived]) -> list[Record]:
    """Put vectors on storage, and have their records wait for enrolment under them; return the records as they are.

    Raises:
        UnavailableError: the storage is full or away, or another command has changed one of the records meanwhile:
            of that one nothing is left behind, and done again it goes on.
        RejectedInputError: a record has as many parts as one can have.
    """
    stored = _put(vault, derived)
    changed = [_renewed(one.record, new) for one, new in zip(derived, stored, strict=True)]
    with writing(vault.engine) as connection:
        kept = [state.replace_record(connection, one.record, new) for one, new in zip(derived, changed, strict=True)]
    overtaken = [new for new, is_kept in zip(stored, kept, strict=True) if not is_kept]
    for new in overtaken:
        _take_away(vault, new)
    if overtaken:
        sentence = f"another command has changed record {overtaken[0].manifest.record} meanwhile"
        raise UnavailableError("rederive.changed", sentence, hint="do it again")
    return changed


def rederive_donors(vault: Vault, panel: Panel, *, progress: Callable[[int], None] = lambda _done: None) -> Donors:
    """Give every registered donor's record a vector on a further panel; done again, it goes on.

    Args:
        vault: the custodian's, its records as the ledger has them.
        panel: whose sites the new vectors are of.
        progress: called with how many records are done.

    Raises:
        RejectedInputError, UnavailableError, IntegrityError: as :func:`from_standard_record` and :func:`store`; what
            was done so far is kept.
    """
    with reading(vault.engine) as connection:
        donors = [one for one in state.all_at_stage(connection, Stage.REGISTERED) if one.donor is not None]
    rates: list[float] = []
    with ThreadPoolExecutor(WRITERS) as pool:
        for start in range(0, len(donors), PAGE):
            page = donors[start : start + PAGE]
            derived = [one for one in pool.map(lambda donor: from_standard_record(vault, donor, panel), page) if one]
            store(vault, derived)
            rates += [one.call_rate for one in derived]
            progress(start + len(page))
    if not rates:
        return Donors(0, len(donors), None, None)
    return Donors(len(rates), len(donors) - len(rates), min(rates), sum(rates) / len(rates))


def _put(vault: Vault, derived: Sequence[Derived]) -> list[StoredRecord]:
    """Put all of them, or none."""
    with ThreadPoolExecutor(WRITERS) as pool:
        storing = [pool.submit(store_with_part, one.manifest, one.part, storage=vault.storage) for one in derived]
    if any(one.exception() for one in storing):
        for one in storing:
            if one.exception() is None:
                _take_away(vault, one.result())
    return [one.result() for one in storing]


def _derived(record: Record, manifest: Manifest, panel: Panel, genomes: ImportedCohort) -> Derived:
    part = PlainPart(
        kind=PartKind.GENOTYPES,
        plaintext=genomes.vector(0).to_bytes(),
        assembly=panel.assembly,
        panel=panel.panel_id,
    )
    return Derived(record, manifest, part, float(genomes.call_rates()[0]))


def _renewed(record: Record, stored: StoredRecord) -> Record:
    return replace(
        record,
        stage=Stage.STORED,
        version=record.version + 1,
        manifest_location=stored.manifest_location,
        manifest_commitment=stored.commitment,
    )


def _take_away(vault: Vault, stored: StoredRecord) -> None:
    for location in (stored.manifest_location, stored.manifest.parts[-1].location):
        vault.storage.delete(parse_location(location)[1])
