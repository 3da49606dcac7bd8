"""Results to be drawn."""

import numpy as np
import pytest


@pytest.fixture
def associations() -> dict:
    rng = np.random.default_rng(0)
    count = 200_000
    logs = -np.log10(rng.random(count))
    logs[1000] = 31.5
    return {
        "chromosome": np.sort(rng.integers(1, 23, count)),
        "base_pair_location": rng.integers(1, 2 * 10**8, count),
        "neg_log_10_p_value": logs,
    }
