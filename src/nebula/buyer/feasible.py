"""Whether a study can have a result at all, so far as its terms and its panel tell: before anybody pays for it."""

from nebula.analysis.inputs import Sites
from nebula.analysis.parameters import ConditionalGwas, Discovery, parse_parameters
from nebula.analysis.projection_parameters import Projection
from nebula.analysis.score_on_panel import match_panel, require_build
from nebula.analysis.score_parameters import ScoreWeights, VariantPhewas
from nebula.disclosure.floors import smallest_cohort
from nebula.disclosure.release import require_offered
from nebula.genome.panel import Panel
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import StudyDocument


def require_feasible(study: StudyDocument, panel: Panel) -> None:
    """Refuse terms that an enclave would refuse after the run, whoever takes part.

    Args:
        study: to be published.
        panel: that it is on.

    Raises:
        NotPermittedError: ``disclosure.class-not-offered``.
        RejectedInputError: ``study.records``; ``analysis.build``, ``analysis.score-match``,
            ``analysis.unknown-variant``.
    """
    asked = parse_parameters(study.analysis, study.parameters)
    if isinstance(asked, Discovery):
        return
    require_offered(study.analysis, asked, study.result_class)
    least = smallest_cohort(study)
    if study.max_records < least:
        raise RejectedInputError(
            "study.records",
            f"a {study.result_class} result is about at least {least:,} people, and at most {study.max_records:,} "
            "records would be used",
            hint=f"--max-records {least} or more",
        )
    if isinstance(asked, VariantPhewas):
        Sites.of_panel(panel).find([asked.variant])
    elif isinstance(asked, ConditionalGwas):
        Sites.of_panel(panel).find(asked.condition)
    elif isinstance(asked, ScoreWeights) and asked.score_object is not None:
        require_build(asked, panel.assembly)  # its rows are a file of millions: the run matches them
    elif isinstance(asked, ScoreWeights | Projection):
        match_panel(asked, asked.variants, Sites.of_panel(panel), panel.assembly)
