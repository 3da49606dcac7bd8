"""Made-up sequences full of tandem repeats, and changes of them, as they come."""

import random


def repetitive(chooser: random.Random, length: int) -> str:
    """A sequence of tandem repeats, with Ns, IUPAC codes and lower case in it."""
    pieces: list[str] = []
    while sum(map(len, pieces)) < length:
        unit = "".join(chooser.choices("ACGT", k=chooser.randint(1, 5)))
        piece = unit * chooser.randint(1, 12) + "".join(chooser.choices("ACGT", k=chooser.randint(0, 4)))
        odd = chooser.random()
        pieces.append("N" * 9 if odd < 0.02 else "ARYC" if odd < 0.03 else piece.lower() if odd < 0.3 else piece)
    return "".join(pieces)[:length]


def simulated(chooser: random.Random, contig: str, sequence: str) -> list[str]:
    """Records with one to three alternative alleles, from the first base of the contig to its last."""
    records, pos = [], 1
    calls = ["0/1", "1/1", "0|1", "1|0", "./.", "1"]
    while pos + 12 < len(sequence):
        reference = sequence[pos - 1 : pos - 1 + chooser.choice([1, 1, 1, 2, 3, 7])]
        if set(reference.upper()) <= set("ACGTN"):
            wanted = chooser.choice([1, 1, 1, 2, 3])
            alternates: list[str] = []
            while len(alternates) < wanted:
                tail = sequence[pos - 1 + len(reference) :][: chooser.randint(0, 6)] * chooser.randint(0, 2)
                new = chooser.choice([reference[0], reference + tail, "".join(chooser.choices("ACGT", k=2)), "T"])
                known = {allele.upper() for allele in (reference, *alternates)}
                if new.upper() not in known and set(new.upper()) <= set("ACGTN"):
                    alternates.append(new)
                elif chooser.random() < 0.2:
                    break
            if alternates:
                call = chooser.choice(calls if len(alternates) == 1 else [*calls, "1/2", "2|1", "2/2"])
                values = f"{call}:{chooser.randint(0, 60)}:{chooser.choice(['99', '.', '7'])}"
                alleles = f"{reference}\t{','.join(alternates)}"
                records.append(f"{contig}\t{pos}\t.\t{alleles}\t50\tPASS\t.\tGT:DP:GQ\t{values}")
        pos += len(reference) + chooser.randint(0, 5)
    return records
