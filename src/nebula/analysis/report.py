"""Results as files: GWAS-SSF and frequency tables, byte for byte reproducible.

Every function takes what disclosure control has let through. Nothing here decides what may leave.
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table

# What GWAS-SSF 1.0 writes for a value that is not there.
NOT_AVAILABLE = "#NA"
# Points of a QQ curve, whatever the number of variants.
QUANTILE_POINTS = 101
# Below this a p-value would lose digits or vanish as a double.
SMALLEST_P = 1e-300
SIGNIFICANT_DIGITS = 6
_TEXT_COLUMNS = frozenset(
    {"effect_allele", "other_allele", "variant_id", "test", "relation", "region", "direction", "trait"}
)
# Counts from zero up; every other whole number may be negative.
_SIGNED_COLUMNS = frozenset({"square_x", "square_y"})

ASSOCIATION_COLUMNS = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "beta",
    "standard_error",
    "effect_allele_frequency",
    "neg_log_10_p_value",
    "variant_id",
    "n",
)
# Beside those, where cases were compared with controls.
CASE_COLUMNS = (
    "n_cases",
    "n_controls",
    "effect_allele_frequency_cases",
    "effect_allele_frequency_controls",
    "test",
)
FREQUENCY_COLUMNS = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "effect_allele_frequency",
    "effect_allele_count",
    "n",
    "homozygous_other",
    "heterozygous",
    "homozygous_effect",
    "hwe_p_value",
    "variant_id",
    "group",
)


def lambda_gc(neg_log10_p: NDArray[np.float64]) -> float:
    """Return the genomic inflation factor: the median chi-square over its expectation; NaN without rows."""
    if not len(neg_log10_p):
        return float("nan")
    median_p = 10.0 ** -float(np.median(neg_log10_p))
    return float(special.chdtri(1, median_p) / special.chdtri(1, 0.5))


def qq_quantiles(neg_log10_p: NDArray[np.float64], points: int = QUANTILE_POINTS) -> Table:
    """Return a QQ curve at a fixed number of ranks, evenly spaced in expected -log10 p.

    Nothing is interpolated: towards the strongest variants ranks, and so points, repeat.

    Returns:
        ``expected`` and ``observed``, each of shape (points,), ascending; empty without rows.
    """
    count = len(neg_log10_p)
    if not count:
        return {"expected": np.zeros(0), "observed": np.zeros(0)}
    grid = np.linspace(-np.log10(count / (count + 1)), np.log10(count + 1), points)
    ranks = np.clip(np.round((count + 1) * 10.0**-grid), 1, count).astype(np.int64)
    return {"expected": -np.log10(ranks / (count + 1)), "observed": np.sort(neg_log10_p)[count - ranks]}


def association_tsv(table: Table) -> bytes:
    """Write GWAS-SSF 1.0: mandatory columns in the standard's order, then variant_id, n and what tells of cases.

    The p column is ``p_value``, or for the whole file ``neg_log_10_p_value`` (the standard allows either)
    when a p-value is too small to be written as a double.
    """
    columns: Table = {}
    for name in (*ASSOCIATION_COLUMNS, *(name for name in CASE_COLUMNS if name in table)):
        if name != "neg_log_10_p_value" or (table[name] > -np.log10(SMALLEST_P)).any():
            columns[name] = table[name]
        else:
            columns["p_value"] = 10.0 ** -table[name]
    return to_tsv(columns)


def frequency_tsv(table: Table) -> bytes:
    """Write a frequency table; columns that were not released are absent, masked counts are ``#NA``."""
    return to_tsv({name: table[name] for name in FREQUENCY_COLUMNS if name in table})


def to_tsv(columns: Table) -> bytes:
    """Write columns as tab-separated text: a header, then rows. Negative counts and NaN are ``#NA``."""
    written = [_cells(name, column) for name, column in columns.items()]
    out = io.StringIO()
    out.write("\t".join(columns) + "\n")
    out.writelines("\t".join(row) + "\n" for row in zip(*written, strict=True))
    return out.getvalue().encode()


def _cells(name: str, column: NDArray[Any]) -> list[str]:
    if name in _TEXT_COLUMNS:
        return [str(value) for value in column]
    if name in _SIGNED_COLUMNS:
        return [str(value) for value in column.tolist()]
    if column.dtype.kind in "iu":
        return [str(value) if value >= 0 else NOT_AVAILABLE for value in column.tolist()]
    return [f"{value:.{SIGNIFICANT_DIGITS}g}" if np.isfinite(value) else NOT_AVAILABLE for value in column.tolist()]


def parse_tsv(raw: bytes) -> Table:
    """Read a result file again: text columns as object arrays of str, all others as float64.

    Raises:
        RejectedInputError: it is not a table of this kind.
    """
    # SECURITY: a buyer reads what came over the network.
    try:
        header, *lines = raw.decode().splitlines()
        names = header.split("\t")
        rows = [line.split("\t") for line in lines]
        cells = list(zip(*rows, strict=True)) or [()] * len(names)
        return {name: _parsed(name, column) for name, column in zip(names, cells, strict=True)}
    except (UnicodeDecodeError, ValueError) as error:
        raise RejectedInputError("result.malformed", f"this is not a result table: {error}") from error


def _parsed(name: str, cells: Sequence[str]) -> NDArray[Any]:
    if name in _TEXT_COLUMNS:
        return np.array(list(cells), dtype=object)
    return np.array([np.nan if cell == NOT_AVAILABLE else float(cell) for cell in cells])


def metadata_yaml(fields: Mapping[str, Any]) -> bytes:
    """Write the sidecar: sorted keys, one per line, values as JSON, which YAML contains."""
    lines = (f"{name}: {json.dumps(_plain(fields[name]), sort_keys=True)}\n" for name in sorted(fields))
    return "".join(lines).encode()


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def files_digest(files: Mapping[str, bytes]) -> bytes:
    """Return the 32-byte digest of a set of files: SHA-256 over names and contents, length-prefixed."""
    digest = hashlib.sha256(b"nebula/result/1\x00")
    for name in sorted(files):
        for field in (name.encode(), files[name]):
            digest.update(len(field).to_bytes(8, "big") + field)
    return digest.digest()
