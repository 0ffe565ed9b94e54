"""Gradient-boosted trees on the logit offset: they learn what the price leaves, and nothing else.

    logit(q) = L + trees(inputs)        L = logit(market price)

L goes in as `base_margin` and is added back when they predict. In the price they are monotone: they may
push away from the middle and never towards it, the direction that is published for this venue, and so
the probability rises with the price. Doubt is the spread of trees fitted on events drawn anew.
"""

import atexit
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, Final

import numpy as np

from polyb0t.core.errors import ConfigurationError
from polyb0t.research.challengers.inputs import PRICE, Inputs
from polyb0t.research.evaluation.observations import Codes, Floats, expit

LIBRARY: Final = "xgboost"
NO_TREES: Final = ""  # the price stays as it is
DRAWS: Final = 10  # of events, for the doubt
# Ten draws tell their own spread too small: on synthetic worlds whose prices were right too much of what was
# said lay further out than its 90 % interval allows, and about as much as should with this factor.
WIDER: Final = 1.25
# Few, small and slow: at a thousand events there is little to learn, and much to remember. Chosen once, on
# synthetic worlds without and with a bias, where deeper and quicker ones lost more to luck than they found.
SHAPE: Final = (
    ("max_depth", 2),
    ("eta", 0.05),
    ("min_child_weight", 50.0),
    ("lambda", 50.0),
    ("rounds", 40),
)


def library() -> ModuleType:
    """The library, which only who wants trees has to have.

    Raises:
        ConfigurationError: it is not installed; what to install.
    """
    try:
        import xgboost  # noqa: PLC0415 - an extra, and slow to load
    except ImportError as error:
        raise ConfigurationError(
            "Boosted trees cannot be used: what makes them is not installed.",
            why="It is an extra, because nothing else needs it.",
            do="Install it: pip install 'polyb0t[boosted]'",
            code="no_boosted",
        ) from error
    found: ModuleType = xgboost
    return found


@dataclass(frozen=True, slots=True)
class Trees:
    """Fitted trees as the library's own JSON, and those of the events drawn anew."""

    names: tuple[str, ...]
    model: str
    drawn: tuple[str, ...]

    def predict(self, inputs: Inputs) -> tuple[Floats, Floats]:
        """Probability and standard deviation of each row.

        Raises:
            ValueError: the inputs are not those that they were fitted on.
        """
        moves = self.moves(inputs)
        level = inputs.values[:, 0]
        q = expit(level + moves[0])
        if len(moves) < 3:
            return q, np.zeros(len(level))
        sd: Floats = WIDER * q * (1 - q) * moves[1:].std(axis=0, ddof=1)
        return q, sd

    def moves(self, inputs: Inputs) -> Floats:
        """What is added to the logit: a row for the trees themselves, and one for each draw."""
        if inputs.names != self.names:
            raise ValueError("the inputs are not those that the trees were fitted on")
        level = inputs.values[:, 0]
        if self.model == NO_TREES:
            return np.zeros((1 + len(self.drawn), len(level)))
        rows = _matrix(inputs)
        said = [_booster(each).predict(rows, output_margin=True) for each in (self.model, *self.drawn)]
        found: Floats = np.asarray(said, np.float64) - level
        return found


def fit_trees(
    inputs: Inputs, outcome: Floats, weight: Floats, event: Codes, *, draws: int = DRAWS, seed: int = 0
) -> Trees:
    """The trees of these rows; none where there is no row. The same rows give the same trees to the byte.

    Raises:
        ConfigurationError: the library is not installed.
    """
    if not len(outcome):
        return Trees(inputs.names, NO_TREES, ())
    chance = np.random.default_rng(seed)
    events, at = np.unique(event, return_inverse=True)
    drawn = []
    for _ in range(draws):
        times = np.bincount(chance.integers(0, len(events), len(events)), minlength=len(events))
        drawn.append(_train(inputs, outcome, weight * times[at]))
    return Trees(inputs.names, _train(inputs, outcome, weight), tuple(drawn))


def _train(inputs: Inputs, outcome: Floats, weight: Floats) -> str:
    xgboost, shape = library(), dict(SHAPE)
    assert inputs.names[0] == PRICE
    monotone = (1, *(0 for _ in inputs.names[1:]))
    rows = _matrix(inputs, label=outcome, weight=weight)
    settings = {
        "objective": "binary:logistic",
        **{name: value for name, value in SHAPE if name != "rounds"},
        "monotone_constraints": str(monotone),
        "tree_method": "hist",
        "nthread": 1,  # sums of floats in one order: the same trees on every run
        "seed": 0,
        "verbosity": 0,
    }
    trained = xgboost.train(settings, rows, num_boost_round=int(shape["rounds"]))
    return bytes(trained.save_raw("json")).decode()


@lru_cache(maxsize=2 * (1 + DRAWS))
def _booster(model: str) -> Any:
    """The trees of a text, made once: an engine asks the same ones in every cycle."""
    booster = library().Booster({"nthread": 1})
    booster.load_model(bytearray(model, "utf-8"))
    return booster


atexit.register(_booster.cache_clear)  # later the library is half gone, and its objects complain of that


def _matrix(inputs: Inputs, **more: Any) -> Any:
    """Names of categories may hold what the library does not allow in a name, so columns are numbered."""
    columns = [f"f{at}" for at in range(len(inputs.names))]
    return library().DMatrix(
        inputs.values, base_margin=inputs.values[:, 0], feature_names=columns, nthread=1, **more
    )
