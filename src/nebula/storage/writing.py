"""The whole interface: what a vault needs of the storage that its owner chose."""

from typing import BinaryIO, Protocol

from nebula.storage.local import LocalStorage
from nebula.storage.reading import ReadableStorage, folder_of


class Storage(ReadableStorage, Protocol):
    """Objects by name, written whole or not at all."""

    url: str

    def put(self, name: str, content: bytes | BinaryIO) -> str:
        """Write an object, given whole or to be read to its end, and return its location.

        An object never changes: a new version has a new name. Writing the same object again changes nothing.

        Raises:
            UnavailableError: the storage is full or away; nothing is left behind.
            IntegrityError: an object of that name with other content is there already.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove an object; removing it again changes nothing."""
        ...

    def names(self, *, after: str = "", limit: int = 1000) -> list[str]:
        """Return up to ``limit`` names beyond ``after``, sorted."""
        ...


def open_storage(url: str) -> Storage:
    """Open a storage by its URL.

    Raises:
        RejectedInputError: a kind of storage that is not supported.
    """
    return LocalStorage(folder_of(url))
