"""What left a worker and is not handed in yet, on disk: a host that is killed hands in the rest; nothing runs twice.

A folder per run holds numbered pages and, written last, the head: a folder without a head is of a worker that did not
finish, and is thrown away. A page's file goes when the hub has it. Nothing in here is secret: what owners and buyer get
is sealed to them.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nebula.files import replace_file
from nebula.protocol.errors import IntegrityError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Hash32
from nebula.protocol.receipt import OwnersPage, RunHead, parse_owners_page, parse_run_head

_HEAD = "head.json"
_PAGE = "page-*.json"


@dataclass(frozen=True, slots=True)
class KeptOutput:
    """A run's whole output, as far as it is not handed in."""

    run: Hash32
    folder: Path

    @property
    def head(self) -> RunHead:
        """What is handed in last.

        Raises:
            IntegrityError: the disk altered it.
        """
        try:
            return parse_run_head(_read(self.folder / _HEAD))
        except RejectedInputError as error:
            raise IntegrityError("host.outbox", f"{self.folder / _HEAD} is damaged: {error.message}") from error

    def pages(self) -> Iterator[OwnersPage]:
        """Yield the pages that are left; each goes when the next one is asked for.

        Raises:
            IntegrityError: the disk altered one.
        """
        for file in sorted(self.folder.glob(_PAGE)):
            try:
                yield parse_owners_page(_read(file))
            except RejectedInputError as error:
                raise IntegrityError("host.outbox", f"{file} is damaged: {error.message}") from error
            file.unlink()

    def discard(self) -> None:
        """Forget it: the hub has it, or will not have it."""
        shutil.rmtree(self.folder)


@dataclass(frozen=True, slots=True)
class Outbox:
    """All outputs of a host that wait for the hub."""

    folder: Path

    def begin(self, run: Hash32) -> "Draft":
        """Begin a run's output; what an earlier worker left half done of it goes.

        Raises:
            UnavailableError: the disk does not take it.
        """
        place = self.folder / run
        shutil.rmtree(place, ignore_errors=True)
        try:
            place.mkdir(parents=True)
        except OSError as error:
            raise UnavailableError("host.outbox", f"{place} cannot be made: {error.strerror}") from error
        return Draft(run, place)

    def waiting(self) -> list[KeptOutput]:
        """Return the outputs that are whole; those that are not are thrown away. Stray files are none, and stay."""
        found = []
        for place in sorted(self.folder.iterdir()) if self.folder.exists() else []:
            if not place.is_dir():
                continue
            if (place / _HEAD).exists():
                found.append(KeptOutput(place.name, place))
            else:
                shutil.rmtree(place)
        return found


@dataclass(slots=True)
class Draft:
    """An output that is being written."""

    run: Hash32
    folder: Path
    _pages: int = 0

    def add_page(self, raw: bytes) -> None:
        """Keep a page as the worker wrote it.

        Raises:
            RejectedInputError: it is no page.
            UnavailableError: the disk does not take it.
        """
        parse_owners_page(raw)
        _write(self.folder / f"page-{self._pages:08d}.json", raw)
        self._pages += 1

    def finish(self, raw: bytes) -> KeptOutput:
        """Keep the head, and with it the whole output. Raises as :meth:`add_page`."""
        parse_run_head(raw)
        _write(self.folder / _HEAD, raw)
        return KeptOutput(self.run, self.folder)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnavailableError("host.outbox", f"{file} cannot be read: {error.strerror}") from error


def _write(file: Path, raw: bytes) -> None:
    try:
        replace_file(file, raw)
    except OSError as error:
        raise UnavailableError("host.outbox", f"{file} cannot be written: {error.strerror}") from error
