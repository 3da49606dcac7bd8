"""Put a record's data keys together from the keepers' shares.

Bundles are opened one keeper at a time, as few as give the key. Keepers that were caught lying come last.
"""

import hmac
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product

from nebula.enclave.release import ReleasedRecord
from nebula.enclave.session import Session
from nebula.protocol.errors import IntegrityError, NebulaError
from nebula.protocol.ids import Address, Hash32, to_bytes
from nebula.protocol.record import MANIFEST, KeyShare, ShareBundle
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.sharing import Share, combine_accepted, key_digest


@dataclass(slots=True)
class LyingKeepers:
    """How often each keeper's shares were wrong in this run. Threads may share it: it only orders attempts."""

    lies: Counter[Address] = field(default_factory=Counter)

    def order(self, keepers: Iterator[Address] | list[Address]) -> list[Address]:
        """Return keepers, those that lied last."""
        return sorted(keepers, key=lambda keeper: (self.lies[keeper], keeper))


class RecordKeys:
    """The data keys of one record."""

    def __init__(self, released: ReleasedRecord, session: Session, liars: LyingKeepers) -> None:
        self._released = released
        self._session = session
        self._liars = liars
        self._waiting = liars.order(list(released.sealed))
        self._opened: dict[Address, ShareBundle] = {}
        while len(self._opened) < self._threshold and self._open_next():
            pass

    @property
    def _threshold(self) -> int:
        return self._session.evidence.study.keeper_threshold

    def manifest_key(self, accepts: Callable[[SecretBytes], bool]) -> SecretBytes:
        """Return the key that opens the manifest, as ``accepts`` finds out.

        Raises:
            IntegrityError: the shares do not give it.
        """
        return self._combine(MANIFEST, accepts)

    def part_key(self, part_id: str, digest: Hash32) -> SecretBytes:
        """Return the key of a part, known by its digest in the manifest.

        Raises:
            IntegrityError: the shares do not give it.
        """
        return self._combine(part_id, lambda key: hmac.compare_digest(key_digest(key), to_bytes(digest)))

    def _combine(self, part_id: str, accepts: Callable[[SecretBytes], bool]) -> SecretBytes:
        while True:
            for shares in self._choices(part_id):
                try:
                    combined = combine_accepted(list(shares.values()), self._threshold, accepts)
                except NebulaError:
                    continue
                liars = set(combined.lying)
                self._liars.lies.update(keeper for keeper, share in shares.items() if share.index in liars)
                return combined.key
            if not self._open_next():
                raise IntegrityError("enclave.shares", "the keepers' shares do not give a part's key")

    def _choices(self, part_id: str) -> Iterator[dict[Address, Share]]:
        """Yield the shares by keeper; where a liar took another keeper's index, each way to choose between them."""
        claims: dict[int, list[tuple[Address, KeyShare]]] = {}
        for keeper, bundle in self._opened.items():
            for share in bundle.shares:
                if share.part_id == part_id:
                    claims.setdefault(share.index, []).append((keeper, share))
                    break
        if len(claims) < self._threshold:
            return
        for chosen in product(*claims.values()):
            yield {keeper: Share(share.index, SecretBytes(share.value)) for keeper, share in chosen}

    def _open_next(self) -> bool:
        """Open one more bundle; False when none is left."""
        while self._waiting:
            keeper = self._waiting.pop(0)
            try:
                self._opened[keeper] = self._released.open_bundle(keeper, self._session)
            except NebulaError:
                self._liars.lies[keeper] += 1
                continue
            return True
        return False
