"""Step 10: the analysis, and disclosure control over what it found.

Two facts come from the keepers, and the worker has no other way to know them: a keeper releases a record only if its
policy permits the study's result class, and for complete statistics only if the buyer is accredited by the ledger. So
a record that t keepers released allows the class, and its buyer may have it.
"""

from nebula.analysis import catalogue
from nebula.analysis.parameters import Parameters
from nebula.disclosure.floors import floors_of
from nebula.disclosure.release import ReleaseContext, Released, ReleaseTerms, release
from nebula.enclave.assemble import Cohort
from nebula.protocol.ids import Hash32
from nebula.protocol.result import SUMMARY_FILE, ResultBundle
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import to_canonical


def analyse(study: StudyDocument, parameters: Parameters, cohort: Cohort) -> Released:
    """Run the study's analysis over the cohort, and return what of it may leave.

    Raises:
        RejectedInputError: the analysis cannot be done on these columns.
        NotPermittedError: disclosure control says no.
    """
    found = catalogue.run(study.analysis, parameters, cohort.input)
    terms = ReleaseTerms(study.result_class, study.min_records, study.privacy_micro_rho)
    records = len(cohort.records)
    return release(found, terms, ReleaseContext(records, records, buyer_accredited=True, floors=floors_of(study)))


def bundle_result(study_id: Hash32, run: Hash32, released: Released) -> ResultBundle:
    """Return the result as the buyer gets it."""
    return ResultBundle(
        study=study_id,
        run=run,
        analysis=released.analysis,
        result_class=released.result_class,
        files=released.to_files() | {SUMMARY_FILE: to_canonical(released.summary)},
    )
