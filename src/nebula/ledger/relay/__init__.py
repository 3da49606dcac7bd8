"""Effects on the ledger that happen exactly once, whatever crashes when.

``outbox`` is the table in the caller's own database, ``relay`` carries what stands in it to the ledger.
"""

from nebula.ledger.relay.outbox import Outcome, Status, enqueue, outbox_table
from nebula.ledger.relay.relay import Relay

__all__ = ["Outcome", "Relay", "Status", "enqueue", "outbox_table"]
