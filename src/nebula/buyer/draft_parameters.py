"""The parameters of a draft's analysis: what it names, and what the files that it names say."""

from pathlib import Path
from typing import Any

import msgspec

from nebula.analysis.parameters import PARAMETERS
from nebula.analysis.projection_parameters import MOST_ROWS as MOST_LOADINGS
from nebula.analysis.region_parameters import MOST_SPANS
from nebula.buyer.draft import StudyDraft
from nebula.buyer.reading import build_of, read_loadings, read_regions
from nebula.buyer.score_terms import score_terms
from nebula.protocol.errors import RejectedInputError


def draft_parameters(draft: StudyDraft, analysis: str, *, public_url: str | None) -> dict[str, Any]:
    """Return what a study's document says of its analysis.

    Args:
        draft: complete.
        analysis: with its version.
        public_url: a storage that the buyer may write and everyone may read, for what is too long for the document.

    Raises:
        RejectedInputError: ``study.*``, ``score.*``, ``loadings.*``, ``regions.*``.
        UnavailableError: the storage is full or away.
    """
    parameters = dict(draft.parameters)
    named = {
        "trait": draft.trait,
        "covariates": list(draft.covariates) or None,
        "pcs": draft.pcs,
        "condition": list(draft.condition) or None,
        "steps": draft.steps,
        "grid_step": draft.grid_step,
        "traits": list(draft.traits) or None,
        "variant": draft.variant,
    }
    parameters |= {name: value for name, value in named.items() if value is not None}
    if draft.score is not None:
        parameters |= score_terms(
            Path(draft.score),
            said_build=draft.score_build,
            without_complex=draft.without_complex,
            public_url=public_url,
        )
    if draft.loadings is not None:
        parameters |= _loadings(Path(draft.loadings), draft.score_build)
    if draft.regions is not None:
        parameters["regions"] = _regions(Path(draft.regions))
    kind = PARAMETERS.get(analysis)
    needed = {field.name for field in msgspec.structs.fields(kind) if field.required} if kind is not None else set()
    if "trait" in needed and "trait" not in parameters:
        raise RejectedInputError("study.trait", f"{analysis} is about a trait", hint="name its column: --trait COLUMN")
    return parameters


def _loadings(file: Path, said_build: str | None) -> dict[str, Any]:
    loadings = read_loadings(file)
    build = build_of(file, loadings.build, said_build)
    if len(loadings.rows) > MOST_LOADINGS:
        raise RejectedInputError(
            "study.loadings-long",
            f"{file.name} has {len(loadings.rows):,} variants; a study's terms hold {MOST_LOADINGS:,}",
            hint="prune the variants before the components are computed: a few thousand place people as well",
        )
    return {"reference": file.name.split(".")[0], "build": build, "rows": list(loadings.rows)}


def _regions(file: Path) -> list[str]:
    regions = read_regions(file)
    if len(regions) > MOST_SPANS:
        raise RejectedInputError(
            "study.regions-long",
            f"{file.name} has {len(regions):,} lines; a study's terms hold {MOST_SPANS:,}",
            hint="join exons into genes, or ask for fewer genes",
        )
    return list(regions)
