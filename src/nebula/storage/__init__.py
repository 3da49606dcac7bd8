"""Where ciphertext lies. Nothing here can read what it keeps."""

from nebula.storage.local import LocalStorage
from nebula.storage.reading import ReadableStorage, open_for_reading, parse_location
from nebula.storage.writing import Storage, open_storage

__all__ = ["LocalStorage", "ReadableStorage", "Storage", "open_for_reading", "open_storage", "parse_location"]
