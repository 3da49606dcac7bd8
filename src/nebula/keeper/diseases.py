"""What a disease is a kind of: a policy for *diabetes* covers a study of *type 2 diabetes*."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import Mondo

_parents_type = tuple[Mondo, Mondo]


@dataclass(frozen=True, slots=True)
class Diseases:
    """The parents of each disease. Without any, a disease is a kind of itself only: fewer studies are permitted."""

    parents: dict[Mondo, tuple[Mondo, ...]] = field(default_factory=dict)

    def closure(self, diseases: Iterable[Mondo]) -> frozenset[Mondo]:
        """Return the diseases and all they are kinds of."""
        found: set[Mondo] = set()
        waiting = list(diseases)
        while waiting:
            disease = waiting.pop()
            if disease not in found:
                found.add(disease)
                waiting.extend(self.parents.get(disease, ()))
        return frozenset(found)


def parse_diseases(raw: bytes) -> Diseases:
    """Parse lines of ``MONDO:child<TAB>MONDO:parent``; lines that begin with ``#`` are comments.

    Raises:
        RejectedInputError: a line is neither; it is named.
    """
    parents: dict[Mondo, tuple[Mondo, ...]] = {}
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            child, parent = msgspec.convert(line.split("\t"), _parents_type)
        except msgspec.ValidationError as error:
            raise RejectedInputError("diseases.line", f"line {number} is not two MONDO terms and a tab") from error
        parents[child] = (*parents.get(child, ()), parent)
    return Diseases(parents)
