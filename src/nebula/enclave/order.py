"""Over which records a run is: what the host says the hub ordered, page by page.

SECURITY: the host may name anyone; keepers decide about each record by themselves. It may not name more than the buyer
pays for, nor one twice, nor keep the worker busy with pages that lead nowhere.
"""

from nebula.enclave.host_pipe import Host
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address


def read_candidates(host: Host, *, most: int) -> tuple[Address, ...]:
    """Return all records that the order names, ascending.

    Raises:
        RejectedInputError: ``run.too-many-records``; ``run.candidates``, they do not ascend from page to page.
        NebulaError: the host does not say.
    """
    records: list[Address] = []
    while True:
        page = host.candidates(records[-1] if records else None)
        for record in page.records:
            if records and record <= records[-1]:
                raise RejectedInputError("run.candidates", "the records of an order do not come in their order")
            records.append(record)
        if len(records) > most:
            raise RejectedInputError("run.too-many-records", "the order names more records than the buyer pays for")
        if not page.more:
            return tuple(records)
        if not page.records:
            raise RejectedInputError("run.candidates", "a page without records cannot have another one behind it")
