"""A buyer and the hub: a study is published and run, and its result handed over."""

from typing import Annotated

import msgspec

from nebula.protocol.ids import Hash32
from nebula.protocol.messages.parties import Kind
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import Document


class PublishRequest(Document, frozen=True, kw_only=True):
    """A buyer publishes a study."""

    study: StudyDocument


class PublishAnswer(Document, frozen=True, kw_only=True):
    """The study's id, and roughly how many records would take part.

    ``matching`` is thresholded: ``fewer than 100``, ``2,500 or more``; ``matching_at_most`` is the highest number that
    the same words would be said of.
    """

    study: Hash32
    matching: str
    matching_at_most: Annotated[int, msgspec.Meta(ge=0)]
    refused: dict[str, str]


class RunRequest(Document, frozen=True, kw_only=True):
    """Run a funded study; asking again returns the same run."""

    study: Hash32


class RunAnswer(Document, frozen=True, kw_only=True):
    """Where a run stands."""

    run: Hash32
    state: str
    detail: str | None = None


class ResultRequest(Document, frozen=True, kw_only=True):
    """The buyer asks for its sealed result."""

    run: Hash32


class ResultAnswer(Document, frozen=True, kw_only=True):
    """The result, sealed to the buyer's key."""

    sealed_result: bytes


PUBLISH = Kind("hub.publish", PublishRequest, PublishAnswer)
RUN = Kind("hub.run", RunRequest, RunAnswer)
RESULT = Kind("hub.result", ResultRequest, ResultAnswer)
