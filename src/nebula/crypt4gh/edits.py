"""Edit lists: which pieces of the decrypted bytes make up the plaintext (specification 1.0, section 3.2)."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class KeptSpans:
    """The pieces of the decrypted bytes that are kept: (start, length), in order, none empty.

    They never overlap, since an edit list only ever moves forward, and end where the decrypted bytes end.
    """

    spans: tuple[tuple[int, int], ...]
    ends: tuple[int, ...]
    """Where each span ends in the edited plaintext."""

    @classmethod
    def of(cls, edits: tuple[int, ...] | None, decrypted_length: int) -> "KeptSpans":
        """Apply an edit list (lengths to skip, to keep, to skip …) to this many decrypted bytes.

        An even number of lengths ends the plaintext with the last one kept; after an odd number the rest is kept; an
        empty list changes nothing.
        """
        spans: list[tuple[int, int]] = []
        at = 0
        lengths = edits or (0,)
        for i in range(0, len(lengths), 2):
            at += lengths[i]
            keep = lengths[i + 1] if i + 1 < len(lengths) else decrypted_length
            kept = min(keep, decrypted_length - at)
            if kept > 0:
                spans.append((at, kept))
            at += keep
        return cls(tuple(spans), tuple(accumulate(length for _, length in spans)))

    @property
    def length(self) -> int:
        """How long the edited plaintext is."""
        return self.ends[-1] if self.ends else 0

    def locate(self, position: int) -> tuple[int, int]:
        """Return where a byte of the edited plaintext lies among the decrypted ones, and how many follow it there.

        ``position`` must lie below :attr:`length`.
        """
        place = bisect_right(self.ends, position)
        start, length = self.spans[place]
        into = position - (self.ends[place] - length)
        return start + into, length - into

    def apply(self, decrypted: bytes) -> bytes:
        """Return the edited plaintext of all decrypted bytes."""
        return b"".join(decrypted[start : start + length] for start, length in self.spans)
