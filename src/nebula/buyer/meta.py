"""Several runs' associations as one, on the researcher's own machine.

The build of each table stands in the file beside it: ``metadata.yaml``, as our results have it, or ``TABLE-meta.yaml``,
as the GWAS Catalog has it. Tables on different builds are never combined.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nebula.analysis.gwas_ssf import parse_gwas_ssf
from nebula.analysis.inputs import Table
from nebula.analysis.meta import MetaResult, meta_analyse
from nebula.analysis.report import lambda_gc, metadata_yaml, qq_quantiles, to_tsv
from nebula.buyer.reading import read_parsed, read_text
from nebula.protocol.errors import RejectedInputError

_BUILD = re.compile(r"^genome_assembly:\s*['\"]?(GRCh37|GRCh38|hg19|hg38)['\"]?\s*$", re.MULTILINE)
_HITS_ONLY = re.compile(r"^result_class:\s*['\"]?hits['\"]?\s*$", re.MULTILINE)
_SAME = {"hg19": "GRCh37", "hg38": "GRCh38"}


@dataclass(frozen=True, slots=True, eq=False)
class CombinedRuns:
    """What runs say together.

    Attributes:
        found: the table, and what became of each file's rows.
        files: in the order of ``found.report``.
        build: that all are on.
        hits_only: files that hold their strongest variants alone, so that their effects are too large.
    """

    found: MetaResult
    files: tuple[Path, ...]
    build: str
    hits_only: tuple[Path, ...]

    def write(self, folder: Path) -> dict[str, Path]:
        """Write ``meta.tsv``, ``qq.tsv`` and ``metadata.yaml``; returns what went where."""
        table = dict(self.found.table)
        logs = table["neg_log_10_p_value"]
        content = {
            "meta.tsv": to_tsv({name: column for name, column in table.items() if column.ndim == 1}),
            "qq.tsv": to_tsv(self.quantiles),
            "metadata.yaml": metadata_yaml(
                {
                    "file_type": "GWAS-SSF v1.0",
                    "genome_assembly": self.build,
                    "coordinate_system": "1-based",
                    "lambda_gc": round(lambda_gc(logs), 4),
                    "variants": len(logs),
                    "runs": [file.name for file in self.files],
                    "rows": list(self.found.report),
                }
            ),
        }
        folder.mkdir(parents=True, exist_ok=True)
        for name, raw in content.items():
            (folder / name).write_bytes(raw)
        return {name: folder / name for name in content}

    @property
    def quantiles(self) -> Table:
        """The QQ curve of the fixed effects."""
        return qq_quantiles(np.asarray(self.found.table["neg_log_10_p_value"]))


def combine_runs(files: Sequence[Path], *, build: str | None = None, minimum_studies: int = 1) -> CombinedRuns:
    """Combine tables of associations (GWAS-SSF, plain or gzip).

    Args:
        files: two or more.
        build: of those that do not say; GRCh37 or GRCh38.
        minimum_studies: variants that fewer tables have are left out.

    Raises:
        RejectedInputError: ``meta.*`` and ``ssf.*``, with the file's name.
    """
    if len(files) < 2 or len({file.resolve() for file in files}) != len(files):  # noqa: PLR2004
        raise RejectedInputError("meta.files", "a meta-analysis takes two tables or more, each once")
    sidecars = [_sidecar(file) for file in files]
    builds = [_build(text) or build for text in sidecars]
    for file, found in zip(files, builds, strict=True):
        if found is None:
            raise RejectedInputError(
                "meta.build", f"nothing beside {file} says which build it is on", hint="add --build GRCh38"
            )
        if found != builds[0] or (build is not None and found != build):
            raise RejectedInputError(
                "meta.build",
                f"{file} is on {found}, not on {build or builds[0]}",
                hint="lift one of them over first",
            )
    runs = [read_parsed(file, parse_gwas_ssf, code="meta.file") for file in files]
    return CombinedRuns(
        meta_analyse(runs, minimum_studies=minimum_studies),
        tuple(files),
        str(builds[0]),
        tuple(file for file, text in zip(files, sidecars, strict=True) if _HITS_ONLY.search(text)),
    )


def _sidecar(file: Path) -> str:
    for beside in (file.with_name(f"{file.name}-meta.yaml"), file.with_name("metadata.yaml")):
        if beside.is_file():
            return read_text(beside, code="meta.file")
    return ""


def _build(text: str) -> str | None:
    found = _BUILD.search(text)
    return _SAME.get(found[1], found[1]) if found else None
