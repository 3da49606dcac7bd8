from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools

from nebula import _native
from nebula.genome.assembly import assemble
from nebula.genome.panel import Panel

HEADER = (
    "##fileformat=VCFv4.3\n##contig=<ID=1,length=248956422>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
)
CALLS = ("0/0", "0/1", "1/1", "./.")


def test_an_assembled_cohort_is_what_bcftools_merges(tmp_path: Path) -> None:
    people, sites = 9, 250
    codes = np.random.default_rng(1).choice(4, (people, sites), p=[0.6, 0.2, 0.15, 0.05])
    positions = 7 * (1 + np.arange(sites))
    keys = [_native.variant_key(1, int(pos), b"A", b"C") for pos in positions]
    panel = Panel(name="peer", version="1", assembly="GRCh38", keys=np.array(keys, np.uint64), long_alleles={})
    names, vectors = [], []
    for person, own in enumerate(codes):
        lines = [
            f"1\t{pos}\t.\tA\tC\t.\tPASS\t.\tGT\t{CALLS[code]}\n" for pos, code in zip(positions, own, strict=True)
        ]
        name = tmp_path / f"{person}.vcf"
        name.write_text(HEADER + f"s{person}\n" + "".join(lines))
        names.append(pysam.tabix_index(str(name), preset="vcf", force=True))
        vectors.append(_native.pack(np.where(own < 3, own, -1).astype(np.int8)[None])[0].tobytes())
    merged = str(tmp_path / "merged.vcf")
    pysam.bcftools.merge("-Ov", "-o", merged, *names, catch_stdout=False)
    rows = [line.split("\t")[9:] for line in Path(merged).read_text().splitlines() if not line.startswith("#")]
    theirs = [[{"./.": -1}.get(call, call.count("1")) for call in row] for row in rows]
    assert assemble(panel, vectors).dosage().tolist() == theirs
