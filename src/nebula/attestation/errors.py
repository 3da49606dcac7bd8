"""The two ways in which evidence is turned down, each with the first reason that was found."""

from nebula.protocol.errors import NotPermittedError


class QuoteRejectedError(NotPermittedError):
    """A quote or its collateral proves nothing. ``reason`` names the first check that failed."""

    def __init__(self, reason: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"quote.{reason}", message, hint=hint)
        self.reason = reason


class AppraisalRefusedError(NotPermittedError):
    """A quote is genuine, but what it proves is not what the policy asks for. ``reason`` names the rule."""

    def __init__(self, reason: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"appraisal.{reason}", message, hint=hint)
        self.reason = reason
