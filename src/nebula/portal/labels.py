"""Names beside points: each where it covers no other name, no leader, no point that has a name, and no border.

Everything is in pixels from the upper left corner of the plot. Points come strongest first, and each takes the nearest
place that is free: above it, to a side of it, or further away, from where a leader leads to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Points: TypeAlias = NDArray[np.float64]

FONT_SIZE = 10
LINE_HEIGHT = 12.0
# Widths in ems of a broad sans serif, DejaVu Sans: which font a browser takes is not known here.
_DIGIT_EM, _COLON_EM, _LETTER_EM = 0.64, 0.34, 0.78
# Longer names (insertions) are cut; the table has them whole.
LONGEST = 26
# A point's radius; from its middle to its name; and how far a name may be without a leader.
_RADIUS, _GAP, _BESIDE = 4.0, 5.0, 8.0
# How far to a side of its point a name may begin.
_ASIDES = (-2.0, 6.0, 18.0, 36.0, 60.0, 90.0, 130.0)
# A name rather stands so much further away than on points that have none.
_COVERING = 60.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, in pixels from the upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether they share more than a border."""
        apart_in_x = self.right <= other.left or other.right <= self.left
        return not (apart_in_x or self.bottom <= other.top or other.bottom <= self.top)

    def covers_any(self, points: Points, *, margin: float = 0.0) -> bool:
        """Whether one of the points, shape (points, 2), is inside, or so near."""
        low = np.array([self.left, self.top]) - margin
        high = np.array([self.right, self.bottom]) + margin
        return bool(((points > low) & (points < high)).all(axis=1).any())

    def nearest(self, point: Points) -> Points:
        """Return the place in it that is nearest to a point."""
        return np.clip(point, [self.left, self.top], [self.right, self.bottom])


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A name in its place.

    Attributes:
        name: as it is written.
        box: what it covers.
        point: which of the points it names.
        leader: the line from the name to the point, shape (2, 2); None where the name stands beside it.
    """

    name: str
    box: Box
    point: int
    leader: Points | None


def shortened(name: str) -> str:
    """Return a name no longer than there is room for."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def text_width(text: str) -> float:
    """Return how wide a text is at most, in pixels."""
    ems = {":": _COLON_EM} | dict.fromkeys("0123456789", _DIGIT_EM)
    return FONT_SIZE * sum(ems.get(letter, _LETTER_EM) for letter in text)


def place_labels(points: Points, names: Sequence[str], *, width: float, height: float, others: Points) -> list[Label]:
    """Place a name for each point that has room.

    Args:
        points: shape (points, 2), the strongest first.
        names: of the points.
        width: of the plot.
        height: of the plot, or down to where names may stand.
        others: shape (others, 2), points that are left uncovered where there is a choice.

    Returns:
        The labels, in the order of the points; points without room have none.
    """
    placed: list[Label] = []
    for index, name in enumerate(map(shortened, names)):
        rest = np.delete(points, index, axis=0)
        best: tuple[float, Label | None] = (np.inf, None)
        for cost, box in _boxes(points[index], text_width(name), width=width, height=height):
            if cost >= best[0]:
                break
            label = Label(name, box, index, _leader(points[index], box))
            if _is_free(label, rest, placed):
                covered = _COVERING * box.covers_any(others, margin=_RADIUS / 2)
                best = min(best, (cost + covered, label), key=lambda one: one[0])
        if best[1] is not None:
            placed.append(best[1])
    return placed


def _boxes(point: Points, wide: float, *, width: float, height: float) -> list[tuple[float, Box]]:
    """Where a name may stand in the plot, and what that costs: its distance, the least first."""
    x, y = float(point[0]), float(point[1])
    rows = y - _GAP - LINE_HEIGHT / 2 + LINE_HEIGHT * np.arange(-(y // LINE_HEIGHT), (height - y) // LINE_HEIGHT + 2)
    asides = [0.0] + [sign * (wide / 2 + more) for more in _ASIDES for sign in (1, -1)]
    found = []
    for middle in (y, *rows.tolist()):
        for aside in asides:
            left = min(max(x + aside - wide / 2, 1.0), width - wide - 1)
            box = Box(left, middle - LINE_HEIGHT / 2, left + wide, middle + LINE_HEIGHT / 2)
            if box.top >= 0 and box.bottom <= height and not box.covers_any(point[None], margin=_GAP - 0.1):
                # Above is read first, and then what stands straight.
                cost = float(np.linalg.norm(box.nearest(point) - point)) + 2 * (middle >= y) + 4 * (middle > y)
                found.append((cost + abs(aside) / width, box))
    return sorted(found, key=lambda one: one[0])


def _leader(point: Points, box: Box) -> Points | None:
    end = box.nearest(point)
    length = float(np.linalg.norm(point - end))
    return None if length <= _BESIDE else np.array([end, end + (point - end) * (1 - _RADIUS / length)])


def _is_free(label: Label, named: Points, placed: Sequence[Label]) -> bool:
    """Whether a name and its leader keep off what has its place already, and off other points that have a name."""
    if label.box.covers_any(named, margin=_RADIUS):
        return False
    for other in placed:
        if label.box.meets(other.box) or _crosses(label.leader, other.box) or _crosses(other.leader, label.box):
            return False
        if label.leader is not None and other.leader is not None and _cross(label.leader, other.leader):
            return False
    return True


def _crosses(leader: Points | None, box: Box) -> bool:
    """Whether a leader runs through a box: whether some part of it is within the box in both directions."""
    if leader is None:
        return False
    (x, y), (to_x, to_y) = leader.tolist()
    begin, end = 0.0, 1.0
    for start, step, low, high in ((x, to_x - x, box.left, box.right), (y, to_y - y, box.top, box.bottom)):
        if step == 0:
            if not low < start < high:
                return False
            continue
        ends = sorted(((low - start) / step, (high - start) / step))
        begin, end = max(begin, ends[0]), min(end, ends[1])
    return begin < end


def _cross(one: Points, other: Points) -> bool:
    """Whether two leaders cross: the ends of each lie on both sides of the other."""
    apart = _side(one, other[0]) * _side(one, other[1]) < 0
    return apart and _side(other, one[0]) * _side(other, one[1]) < 0


def _side(line: Points, point: Points) -> float:
    """Above zero on one side of a line, below it on the other."""
    along, aside = line[1] - line[0], point - line[0]
    return float(along[0] * aside[1] - along[1] * aside[0])
