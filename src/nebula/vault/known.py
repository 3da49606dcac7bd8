"""Whether a file says of somebody what the vault has of them already.

People are known by what a vault calls them. A second file about a name that is there is the same import, done again
after it was interrupted, or it is about somebody or something else: then nothing of it may be passed over in silence.
"""

from collections.abc import Sequence

from nebula.crypt4gh.part import part_digest
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import OwnerKeys
from nebula.protocol.study import PartKind
from nebula.vault.manifests import manifest_of
from nebula.vault.parts import PlainPart
from nebula.vault.state import Record


def check_same(owner: OwnerKeys, record: Record, parts: Sequence[PlainPart], *, hint: str) -> None:
    """Make sure that parts are those that a record has; phenotypes only if there are some now.

    Genotypes are the same if either form of them is: on another panel their vector differs, written by another version
    of a library their table may. A record may have vectors on several panels.

    Raises:
        RejectedInputError: ``import.other``; they are others.
        UnavailableError: the storage is away, so that nobody can tell.
    """
    stored = {(part.kind, part.plaintext_digest) for part in manifest_of(owner, record).parts}
    same = {part.kind: (part.kind, to_hex(part_digest(part.plaintext))) in stored for part in parts}
    if not (same[PartKind.GENOTYPES] or same[PartKind.VARIANTS]):
        raise _other(record, "genotypes", hint)
    if not same.get(PartKind.PHENOTYPES, True):
        raise _other(record, "phenotypes", "a record keeps what it was made with: name the same table and columns")


def _other(record: Record, what: str, hint: str) -> RejectedInputError:
    sentence = f"this vault has a record called {record.label!r} already, and its {what} are others than the file's"
    return RejectedInputError("import.other", sentence, hint=hint)
