"""What can be wrong with a Crypt4GH file, by who must act."""

from nebula.protocol.errors import IntegrityError, NotPermittedError, RejectedInputError


class MalformedFileError(RejectedInputError):
    """The bytes are no Crypt4GH file that this package reads; ``code`` says where it fails."""


class KeyFileError(RejectedInputError):
    """A key file is malformed, or its pass phrase is wrong or missing."""


class NotARecipientError(NotPermittedError):
    """No header packet opens with this key: the file was not encrypted to it."""

    def __init__(self) -> None:
        super().__init__("crypt4gh.not-a-recipient", "this Crypt4GH file was not encrypted to this key")


class AlteredError(IntegrityError):
    """A segment does not authenticate, or a part is not the one that its manifest describes."""
