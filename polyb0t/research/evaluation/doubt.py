"""How sure fitted coefficients are when rows of one event move together.

The inverse curvature (Laplace) believes every row; twenty Mondays of one market are not twenty results.
The sandwich estimator counts events instead (White, Econometrica 50, 1982; by cluster: Liang and Zeger,
Biometrika 73, 1986), here with the prior: estimate less truth = H^-1 x (score - P x truth), whose variance
is H^-1 (sum of g_e g_e' + P) H^-1, with H the curvature and the prior's P, and g_e the score of an event.
"""

import numpy as np

from polyb0t.research.evaluation.observations import Codes, Flags, Floats


def meat(event: Codes, cell: Codes, scores: Floats, cells: int) -> Floats:
    """The sum over events of g_e g_e', where a row's score (rows x 2) lies in the two places of its cell."""
    place, back = np.unique(event * cells + cell, return_inverse=True)
    of_event, of_cell = place // cells, place % cells
    sums = np.stack([np.bincount(back, weights=each, minlength=len(place)) for each in scores.T], axis=1)
    total = np.zeros((cells, 2, cells, 2))
    for step in range(len(place)):  # ends with the event that lies in most cells
        one, other = slice(0, len(place) - step), slice(step, len(place))
        same: Flags = of_event[one] == of_event[other]
        if not same.any():
            break
        pairs = of_cell[one][same] * cells + of_cell[other][same]
        for a in (0, 1):
            for b in (0, 1):
                product = sums[one][same][:, a] * sums[other][same][:, b]
                block = np.bincount(pairs, weights=product, minlength=cells**2).reshape(cells, cells)
                total[:, a, :, b] += block
                if step:
                    total[:, b, :, a] += block.T
    return total.reshape(2 * cells, 2 * cells)


def sandwich(inverse: Floats, penalty: Floats, between: Floats, events: int) -> Floats:
    """The covariance by event, from the inverse of curvature plus `penalty` and the `meat` in coefficients.

    The fit has bent towards its events by as many as it has free coefficients: the rest is what they tell.
    """
    free = len(penalty) - float(np.sum(np.diag(inverse) * penalty))
    factor = events / max(events - free, 1.0) if events else 1.0
    found: Floats = inverse @ (factor * between + np.diag(penalty)) @ inverse
    return found


def larger(one: Floats, other: Floats) -> Floats:
    """The smallest extension of the covariances `one` that is nowhere, in no direction, below `other`.

    Both are stacks of matrices; `one` has to be positive definite.
    """
    root = np.linalg.cholesky(one)
    back = np.linalg.inv(root)
    ratio = back @ other @ np.swapaxes(back, -1, -2)
    sizes, directions = np.linalg.eigh((ratio + np.swapaxes(ratio, -1, -2)) / 2)
    widened = directions * np.maximum(sizes, 1.0)[..., None, :] @ np.swapaxes(directions, -1, -2)
    found: Floats = root @ widened @ np.swapaxes(root, -1, -2)
    return found
