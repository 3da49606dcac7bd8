"""A record's genotypes on a further panel, derived from what is on storage already: nothing is uploaded again.

(1) What waits goes on to the ledger: it may be this very record, from when it was done before and did not come to its
end. (2) The record is taken as the ledger has it then. (3) An owner's own record is read again from the file that was
kept as it came; a donor's, whose cohort file is not kept, from its standard record. (4) The new vector, and a new
manifest over it and the parts that were there, are put on storage. (5) In one transaction the vault has the record
under that manifest and the next version, at stage *stored*, and what it had prepared for keepers of the record as it
was is gone. (6) Enrolling takes it to the ledger as it does a new record; see :mod:`nebula.vault.enrol`. The consent is
the one that there was, under the salt that it had.

Until the ledger has the new version, the old one holds, with its shares at the keepers: a withdrawal ends either.
Killed before (5), nothing has changed but two objects on storage that nothing names; killed after it, enrolling goes
on.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from nebula.database import reading, writing
from nebula.genome.panel import Panel
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Address
from nebula.storage import parse_location
from nebula.vault import state
from nebula.vault.current import catch_up, catch_up_all, enrol_waiting
from nebula.vault.deriving import Derived, from_original, from_standard_record
from nebula.vault.enrol import Network
from nebula.vault.import_ import PAGE, WRITERS, Vault
from nebula.vault.parts import StoredRecord, store_with_part
from nebula.vault.state import Record, Stage

Enrol = Callable[[], None]
Agree = Callable[[Sequence[float]], None]
"""Is shown what share of the panel's sites each donor would have, and raises where that is not agreed to."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Donors:
    """What came of many donors' records. ``lowest``, ``mean``: the new vectors' call rates; None where none is new."""

    new: int
    known: int
    lowest: float | None
    mean: float | None


def rederive_one(
    vault: Vault,
    network: Network,
    record: Address,
    panel: Panel,
    *,
    enrol: Enrol | None = None,
    reference: Path | None = None,
    chain: Path | None = None,
    lenient: bool = False,
) -> Derived | None:
    """Put an owner's own record on a further panel, from its original file; None where it is on the panel already.

    Done again, it goes on.

    Args:
        vault: whose record it is.
        network: that it has joined.
        record: its id.
        panel: whose sites the new vector is of.
        enrol: takes what waits to the ledger.
        reference: as for :func:`nebula.vault.deriving.from_original`, like ``chain`` and ``lenient``.
        chain: likewise.
        lenient: likewise.

    Raises:
        NotPermittedError: ``vault.stage``; the record was withdrawn.
        RejectedInputError, UnavailableError, IntegrityError: as :func:`nebula.vault.deriving.from_original`,
            :func:`store` and :func:`nebula.vault.current.enrol_waiting`.
    """
    enrol = enrol or partial(enrol_waiting, vault.engine, vault.owner, network)
    enrol()
    current = catch_up(vault.engine, vault.owner, network, record)
    derived = from_original(vault, current, panel, reference=reference, chain=chain, lenient=lenient)
    if derived is not None:
        store(vault, [derived])
        enrol()
    return derived


def rederive_all(
    vault: Vault,
    network: Network,
    panel: Panel,
    *,
    agree: Agree | None = None,
    enrol: Enrol | None = None,
    progress: Progress = lambda _done, _of: None,
) -> Donors:
    """Put every donor's record on a further panel, from its standard record. Done again, it goes on.

    Args:
        vault: the custodian's.
        network: that it has joined.
        panel: whose sites the new vectors are of.
        agree: to be asked first; every vector is then derived twice, for what was looked at is not kept.
        enrol: takes what waits to the ledger.
        progress: called with how many donors' records are looked at, then derived and stored, of how many.

    Raises:
        RejectedInputError, UnavailableError, IntegrityError: as :func:`rederive_donors` and
            :func:`nebula.vault.current.enrol_waiting`.
    """
    enrol = enrol or partial(enrol_waiting, vault.engine, vault.owner, network)
    enrol()
    catch_up_all(vault.engine, vault.owner, network, (Stage.REGISTERED,))
    if agree is not None and (rates := call_rates_on(vault, panel, progress=progress)):
        agree(rates)
    donors = rederive_donors(vault, panel, progress=progress)
    enrol()
    return donors


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


def call_rates_on(vault: Vault, panel: Panel, *, progress: Progress = lambda _done, _of: None) -> list[float]:
    """Return what share of a panel's sites every donor's record would have that is not on it; nothing is stored.

    Raises:
        RejectedInputError, UnavailableError, IntegrityError: as
            :func:`nebula.vault.deriving.from_standard_record`.
    """
    return [one.call_rate for page in _derive_pages(vault, panel, progress) for one in page]


def rederive_donors(vault: Vault, panel: Panel, *, progress: Progress = lambda _done, _of: None) -> Donors:
    """Give every registered donor's record a vector on a further panel; done again, it goes on.

    Args:
        vault: the custodian's, its records as the ledger has them.
        panel: whose sites the new vectors are of.
        progress: called with how many donors' records are done, of how many.

    Raises:
        RejectedInputError, UnavailableError, IntegrityError: as
            :func:`nebula.vault.deriving.from_standard_record` and :func:`store`; what was done so far is kept.
    """
    donors = _donors(vault)
    rates: list[float] = []
    for page in _derive_pages(vault, panel, progress):
        store(vault, page)
        rates += [one.call_rate for one in page]
    if not rates:
        return Donors(0, len(donors), None, None)
    return Donors(len(rates), len(donors) - len(rates), min(rates), sum(rates) / len(rates))


def _donors(vault: Vault) -> list[Record]:
    with reading(vault.engine) as connection:
        return [one for one in state.all_at_stage(connection, Stage.REGISTERED) if one.donor is not None]


def _derive_pages(vault: Vault, panel: Panel, progress: Progress) -> Iterator[list[Derived]]:
    """Yield the donors' new vectors, some at a time; those on the panel have none."""
    donors = _donors(vault)
    with ThreadPoolExecutor(WRITERS) as pool:
        for start in range(0, len(donors), PAGE):
            page = donors[start : start + PAGE]
            yield [one for one in pool.map(lambda donor: from_standard_record(vault, donor, panel), page) if one]
            progress(start + len(page), len(donors))


def _put(vault: Vault, derived: Sequence[Derived]) -> list[StoredRecord]:
    """Put all of them, or none."""
    with ThreadPoolExecutor(WRITERS) as pool:
        storing = [pool.submit(store_with_part, one.manifest, one.part, storage=vault.storage) for one in derived]
    if any(one.exception() for one in storing):
        for one in storing:
            if one.exception() is None:
                _take_away(vault, one.result())
    return [one.result() for one in storing]


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
