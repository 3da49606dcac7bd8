"""One copy where a person has one: PLINK writes it as two equal ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.counting import mitochondrial_rows, one_copy_rows
from nebula.genome.matrix import PackedMatrix
from nebula.genome.plink.people import FEMALE, MALE
from nebula.genome.sex import guess_sex
from nebula.genome.vcf.reader import CallForm

if TYPE_CHECKING:
    from nebula.genome.calls import Calls
    from nebula.genome.plink.people import People

_HET = 1
_HOM_ALT = 2


def with_single_copies(calls: Calls, people: People, assembly: str) -> tuple[Calls, int]:
    """Make one copy of the two equal ones of men on X and Y, and of everyone on MT.

    Whoever is a man by the ``.fam`` and clearly a woman by the X is left as the file has it; returns how many people's
    X contradicts their sex.
    """
    guessed = np.array(guess_sex(calls, assembly))
    contradicted = ((people.sexes == MALE) & (guessed == "female")) | ((people.sexes == FEMALE) & (guessed == "male"))
    men = np.flatnonzero((people.sexes == MALE) & (guessed != "female"))
    codes, forms = calls.codes.packed.copy(), calls.forms.packed.copy()
    everyone = np.arange(len(people))
    for rows, columns in ((one_copy_rows(calls, assembly), men), (mitochondrial_rows(calls), everyone)):
        if not len(rows) or not len(columns):
            continue
        dosage, form = calls.codes.dosage(rows), np.zeros((len(rows), len(people)), np.int8)
        single = np.zeros(dosage.shape, np.bool_)
        # Two different copies stay as they are: what counts of them is decided as for every format.
        single[:, columns] = dosage[:, columns] != _HET
        dosage[single & (dosage == _HOM_ALT)] = 1
        form[single] = CallForm.HAPLOID
        codes[rows], forms[rows] = PackedMatrix.from_dosage(dosage).packed, PackedMatrix.from_dosage(form).packed
    single_calls = replace(calls, codes=PackedMatrix(codes, len(people)), forms=PackedMatrix(forms, len(people)))
    return single_calls, int(contradicted.sum())
