"""Where a stranger to a reference lies on its components, not drawn to the centre.

Sums of loadings times genotypes put strangers nearer to the centre than people like them in the reference, for a
component is also fitted to the noise of those it was computed of. Online augmentation, decomposition and Procrustes
(OADP) takes the stranger into the decomposition instead, and turns and scales the result until the reference's people
are where they were: what that does to the stranger is their place.

Source: Zhang, Dey, Lee, Bioinformatics 36 (2020) 3439-3446.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import orthogonal_procrustes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stranger_place(
    projected: NDArray[np.float64], squared_length: float, singular_values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Put a stranger among a reference's people.

    The reference's genotypes X, one row a person, are U D V' in its leading k components, and the rest. Of both only D
    is needed: U and V are orthonormal, so that X and the stranger's row x lie in a basis of k + 1 directions, V and
    what x has beyond it.

    Args:
        projected: x V, the sums of loadings (unit vectors) times genotypes, shape (k,).
        squared_length: of x, that is of the stranger's standardised genotypes.
        singular_values: D, shape (k,), descending, above 0.

    Returns:
        The stranger's row beside the rows of U D, shape (k,).
    """
    count = len(singular_values)
    augmented = np.zeros((count + 1, count + 1))
    augmented[:count, :count] = np.diag(singular_values)
    augmented[count, :count] = projected
    augmented[count, count] = math.sqrt(max(squared_length - float(projected @ projected), 0))
    left, values, _ = np.linalg.svd(augmented)
    places = left[:, :count] * values[:count]
    # Every row of U is taken through the same k x k matrix: turning that one onto D turns all people onto U D.
    turn, agreement = orthogonal_procrustes(places[:count], np.diag(singular_values))
    scale = agreement / np.square(places[:count]).sum()
    place: NDArray[np.float64] = scale * (places[count] @ turn)
    return place
