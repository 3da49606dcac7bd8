"""The chain: an embedded node, typed clients, relaying and an event index.

Everything but ``node`` speaks plain Ethereum JSON-RPC, so the embedded node, anvil, Geth or an L2 are
interchangeable behind one URL.
"""

import os

# eth-hash picks its keccak when it is first used; pysha3 is three times faster than its default.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
