"""Calls that end in time: a state whose computations look at the clock before every instruction.

Gas bounds what a call computes, but a call is free, and 16 million gas of the cheapest instructions take many
seconds of an interpreter. Transactions are not timed: what a block holds must not depend on how fast a machine is.
"""

from collections.abc import Callable
from typing import Any

from eth.vm.forks.prague.computation import PragueComputation

from nebula.protocol.errors import UnavailableError

CALL_SECONDS = 5.0


class _TimedComputation(PragueComputation):
    """Looks at ``in_time`` of its state whenever it pays for an instruction."""

    def consume_gas(self, amount: int, reason: str) -> None:
        """Pay, if there is time left; what runs inside this call is of the same kind."""
        self.state.in_time()  # type: ignore[attr-defined]  # set by ``bound``
        super().consume_gas(amount, reason)


def bound(state: Any, monotonic: Callable[[], float]) -> None:
    """Let the next call on a py-evm state take :data:`CALL_SECONDS` at most; then it raises UnavailableError."""
    end = monotonic() + CALL_SECONDS

    def in_time() -> None:
        if monotonic() > end:
            raise UnavailableError(
                "ledger.time",
                f"the call was still computing after {CALL_SECONDS:g} seconds",
                hint="ask for less at once",
            )

    state.computation_class = _TimedComputation
    state.in_time = in_time
