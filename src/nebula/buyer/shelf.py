"""The buyer's own copies of the studies it published: one file each, named by the study's id."""

from dataclasses import dataclass
from pathlib import Path

from nebula.files import replace_file
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Hash32, begins
from nebula.protocol.study import StudyDocument, parse_study
from nebula.protocol.wire import to_canonical

_HEX = 64


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of study documents."""

    folder: Path

    def keep(self, document: StudyDocument) -> Hash32:
        """Keep a study and return its id; keeping it again changes nothing."""
        study = study_id(document)
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_file(self._path(study), to_canonical(document))
        return study

    def find(self, wanted: str) -> tuple[Hash32, StudyDocument]:
        """Return the one study whose id begins so.

        Raises:
            RejectedInputError: ``study.unknown``, ``study.several``.
            IntegrityError: the file is not the study that its name promises.
        """
        fitting = [study for study in self.all() if begins(study, wanted)]
        if not fitting:
            raise RejectedInputError(
                "study.unknown", f"no study of yours begins with {wanted}", hint="`nebula study list` shows yours"
            )
        if len(fitting) > 1:
            listed = ", ".join(study[:14] for study in fitting[:8])
            raise RejectedInputError("study.several", f"{len(fitting)} studies begin with {wanted}", hint=listed)
        return fitting[0], self._read(fitting[0])

    def documents(self) -> list[StudyDocument]:
        """Return all studies, oldest first.

        Raises:
            IntegrityError: a file is not the study that its name promises.
        """
        return [self._read(study) for study in self.all()]

    def all(self) -> list[Hash32]:
        """Return the ids of all studies, oldest first."""
        if not self.folder.is_dir():
            return []
        files = [path for path in self.folder.glob("0x*.json") if len(path.stem) == len("0x") + _HEX]
        return [path.stem for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name))]

    def _read(self, study: Hash32) -> StudyDocument:
        document = parse_study(self._path(study).read_bytes())
        if study_id(document) != study:
            raise IntegrityError("study.altered", f"the file of study {study} is another study's, or was altered")
        return document

    def _path(self, study: Hash32) -> Path:
        return self.folder / f"{study}.json"
