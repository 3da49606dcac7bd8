"""Decide one study over many policies, a column at a time.

Each column is dictionary-encoded once: its distinct values, and for every policy the number of its
value. A rule is then asked once per *distinct* value and the answers are gathered, so that a million
policies cost a few memory passes. Distinct values of numeric columns are kept sorted: a threshold
becomes one comparison of codes.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nebula.protocol.consent import RULES, THRESHOLDS, ConsentPolicy, Mode, Refusal, Rule, Threshold
from nebula.protocol.ids import Address
from nebula.protocol.study import StudyTerms


@dataclass(frozen=True, slots=True)
class _Encoded:
    distinct: list[Any]
    codes: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class PolicyColumns:
    """Policies laid out for deciding; row order is the order they were given in."""

    records: tuple[Address, ...]
    ask: NDArray[np.bool_]
    _rules: tuple[_Encoded, ...]
    _thresholds: tuple[_Encoded, ...]

    @classmethod
    def encode(cls, policies: Sequence[ConsentPolicy]) -> "PolicyColumns":
        """Lay out policies; one pass over each column."""
        return cls(
            records=tuple(policy.record for policy in policies),
            ask=np.fromiter((policy.mode is Mode.ASK for policy in policies), np.bool_, len(policies)),
            _rules=tuple(_encode(policies, rule.column, ordered=False) for rule in RULES),
            _thresholds=tuple(_encode(policies, rule.column, ordered=True) for rule in THRESHOLDS),
        )

    def decide(
        self, terms: StudyTerms, *, at: datetime, approved: NDArray[np.bool_] | None = None
    ) -> NDArray[np.uint16]:
        """Return every policy's refusals as bits of :class:`Refusal`; zero permits.

        Args:
            terms: the study.
            at: now.
            approved: shape (policies,), who approved this study; None is nobody.

        Returns:
            Shape (policies,). Equal to :func:`nebula.protocol.consent.permits` row by row.
        """
        now = int(at.timestamp())
        refusals = np.zeros(len(self.records), np.uint16)
        for rule, encoded in zip(RULES, self._rules, strict=True):
            _refuse_by_value(refusals, rule, encoded, terms, now)
        for threshold, encoded in zip(THRESHOLDS, self._thresholds, strict=True):
            _refuse_by_limit(refusals, threshold, encoded, terms, now)
        waiting = self.ask if approved is None else self.ask & ~approved
        refusals[waiting] |= np.uint16(Refusal.APPROVAL)
        return refusals


def count_reasons(refusals: NDArray[np.uint16]) -> dict[str, int]:
    """Return how many policies refused for each reason; a policy counts once per reason it has."""
    counts = {str(reason.name).lower(): int(np.count_nonzero(refusals & reason)) for reason in Refusal}
    return {name: count for name, count in counts.items() if count}


def _encode(policies: Sequence[ConsentPolicy], column: Callable[[ConsentPolicy], Any], *, ordered: bool) -> _Encoded:
    values = [column(policy) for policy in policies]
    distinct = sorted(set(values)) if ordered else list(dict.fromkeys(values))
    code_of = {value: code for code, value in enumerate(distinct)}
    return _Encoded(distinct, np.fromiter((code_of[value] for value in values), np.uint32, len(values)))


def _refuse_by_value(refusals: NDArray[np.uint16], rule: Rule, encoded: _Encoded, terms: StudyTerms, now: int) -> None:
    verdicts = [not rule.satisfied(value, terms, now) for value in encoded.distinct]
    if all(verdicts):
        refusals |= np.uint16(rule.refusal)
    elif any(verdicts):
        refusals |= np.where(verdicts, np.uint16(rule.refusal), np.uint16(0))[encoded.codes]


def _refuse_by_limit(
    refusals: NDArray[np.uint16], threshold: Threshold, encoded: _Encoded, terms: StudyTerms, now: int
) -> None:
    limit = threshold.limit(terms, now)
    if threshold.at_most:
        refused = encoded.codes >= bisect_right(encoded.distinct, limit)
    else:
        refused = encoded.codes < bisect_left(encoded.distinct, limit)
    refusals[refused] |= np.uint16(threshold.refusal)
