"""Gradient-boosted trees on the logit offset: they learn what the price leaves, and nothing else.

    logit(q) = L + trees(inputs)        L = logit(market price)

L goes in as `base_margin` and is added back when they predict. In the price they are monotone: they may
push away from the middle and never towards it, the direction that is published for this venue, and so
the probability rises with the price. Doubt is the spread of trees fitted on events drawn anew.
"""

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import numpy as np

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import ConfigurationError
from polyb0t.models.model_files import unknown_format
from polyb0t.research.challengers.inputs import PRICE, Inputs
from polyb0t.research.evaluation.observations import Codes, Floats, expit

FORMAT: Final = "polyb0t-boosted-trees-1"
LIBRARY: Final = "xgboost"
NO_TREES: Final = ""  # the price stays as it is
DRAWS: Final = 10  # of events, for the doubt
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
            "No trees were fitted: what makes them is not installed.",
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
        sd: Floats = np.zeros(len(level)) if len(moves) < 3 else q * (1 - q) * moves[1:].std(axis=0, ddof=1)
        return q, sd

    def moves(self, inputs: Inputs) -> Floats:
        """What is added to the logit: a row for the trees themselves, and one for each draw."""
        if inputs.names != self.names:
            raise ValueError("the inputs are not those that the trees were fitted on")
        return np.stack([_moves(each, inputs) for each in (self.model, *self.drawn)])


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


def _moves(model: str, inputs: Inputs) -> Floats:
    if model == NO_TREES:
        return np.zeros(len(inputs.values))
    xgboost = library()
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(model, "utf-8"))
    level = inputs.values[:, 0]
    said = booster.predict(_matrix(inputs), output_margin=True)
    found: Floats = np.asarray(said, np.float64) - level
    return found


def _matrix(inputs: Inputs, **more: Any) -> Any:
    """Names of categories may hold what the library does not allow in a name, so columns are numbered."""
    columns = [f"f{at}" for at in range(len(inputs.names))]
    return library().DMatrix(
        inputs.values, base_margin=inputs.values[:, 0], feature_names=columns, nthread=1, **more
    )


def trees_text(trees: Trees, about: dict[str, object]) -> str:
    """The file of a fit: format, library, inputs by name and version, the trees and their SHA-256."""
    content = {
        "format": FORMAT,
        "library": f"{LIBRARY} {library().__version__}",
        **about,
        "inputs": list(trees.names),
        "sha256": sha256_hex(trees.model),
        "model": trees.model,
    }
    return json.dumps(content, indent=1) + "\n"


def read_trees(text: str) -> Trees:
    """The trees of a file.

    Raises:
        ConfigurationError: another format, other inputs than this version computes, or changed trees.
    """
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise unknown_format(content.get("format") if isinstance(content, dict) else None, (FORMAT,))
        names = tuple(str(each) for each in content["inputs"])
        if not names or names[0] != PRICE:
            raise ValueError(f"its first input is not {PRICE}")
        if sha256_hex(str(content["model"])) != content["sha256"]:
            raise ValueError("its trees are not those that were fitted: their SHA-256 differs")
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            "The trees cannot be used.",
            why=f"The file is not as expected: {error}.",
            do="Fit them anew: polyb0t model fit --kind boosted",
            code="model_file",
        ) from error
    return Trees(names, str(content["model"]), ())
