"""The most memory that a run takes, from decrypted vectors that come one by one to a GWAS table.

    python benchmarks/memory.py [--people 10000] [--variants 350000]

The work is done in a child process that does nothing else; its peak resident size, interpreter and libraries
included, is set against the packed matrix: people times variants, two bits each.
"""

import argparse
import resource
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import sealed
from measuring import write_results

from nebula.analysis import catalogue
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import LinearGwas
from nebula.genome.assembly import assemble

BAR = 1.3


def vectors(people: int, variants: int) -> Iterator[bytes]:
    """Make people up, one at a time: each site's alternate allele is as common as the site's number says."""
    rng = np.random.default_rng(1)
    rare = rng.random(-(-variants // 4)) < 1 / 2
    for _ in range(people):
        codes = rng.integers(0, 256, len(rare), dtype=np.uint8)
        codes &= codes >> 1 & 0x55
        codes[rare & (codes % 4 == 0)] = 0
        if variants % 4:
            codes[-1] &= (1 << 2 * (variants % 4)) - 1
        yield codes.tobytes()


def run(people: int, variants: int) -> None:
    """Do the work and print the peak in bytes, and how many rows came out."""
    panel = sealed.panel_of(variants)
    rng = np.random.default_rng(2)
    names = ("trait", *(f"c{index}" for index in range(10)))
    columns = {name: rng.standard_normal(people) for name in names}
    cohort = CohortInput(assemble(panel, vectors(people, variants), people=people), Sites.of_panel(panel), columns)
    parameters = LinearGwas(trait="trait", covariates=names[1:], pcs=0, minimum_maf=0.0)
    found = catalogue.run("gwas-linear@1", parameters, cohort)
    # Linux counts in kibibytes.
    print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, len(found.table["beta"]))


def main() -> None:
    """Start the child and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--variants", type=int, default=350_000)
    parser.add_argument("--child", action="store_true")
    chosen = parser.parse_args()
    if chosen.child:
        run(chosen.people, chosen.variants)
        return
    command = [sys.executable, __file__, "--child"]
    command += ["--people", str(chosen.people), "--variants", str(chosen.variants)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, rows = map(int, done.stdout.split())
    packed = -(-chosen.people // 4) * chosen.variants
    print(
        f"peak {peak / 1e6:,.0f} MB, packed matrix {packed / 1e6:,.0f} MB: {peak / packed:.2f} times; the bar is {BAR}"
    )
    content = {"people": chosen.people, "variants": chosen.variants, "rows_of_the_table": rows}
    content |= {"peak_bytes": peak, "packed_bytes": packed}
    write_results("memory", content | {"ratio": round(peak / packed, 3), "bar": BAR})


if __name__ == "__main__":
    main()
