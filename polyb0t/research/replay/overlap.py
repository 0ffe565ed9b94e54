"""May this model be used on that past? Only if it learnt nothing of it."""

from datetime import datetime
from typing import Final, Protocol

from polyb0t.core.errors import ConflictError
from polyb0t.models.calibration import Expiry
from polyb0t.models.model_files import DataWindow
from polyb0t.models.pooling import Weights

UNKNOWN_DATA: Final = (
    "The published coefficients do not say which markets they were found on: what they make here may be "
    "what they were made from."
)


class Learnt(Protocol):
    """The file of any kind of model: what it says of the data behind it."""

    @property
    def version(self) -> str: ...

    @property
    def expiry(self) -> Expiry | None: ...

    @property
    def data(self) -> DataWindow | None: ...


def refuse_overlap(learnt: Learnt, since: datetime) -> str | None:
    """Refuses a fitted model that knows anything of what happened from `since` on.

    Returns a sentence to be printed beside the result where nobody can tell (published figures), None
    where the model is older than the past that it is used on.

    Raises:
        ConflictError: its data reach past `since`, or its file is too old to say how far they reach.
    """
    if learnt.expiry is None:
        return UNKNOWN_DATA
    model, data = learnt.version, learnt.data
    if data is None:
        raise _refused(f"The file of {model} does not say which days it was fitted on.")
    if data.until > since:
        raise _refused(
            f"{model} was fitted on what was known until {data.until:%Y-%m-%d %H:%M} UTC, "
            f"and the replay begins on {since:%Y-%m-%d %H:%M} UTC: it has seen results of that time."
        )
    return None


def weights_too_young(weights: Weights, since: datetime) -> str | None:
    """Why what components have earned may not count from `since` on, to be printed beside the result; None
    where it was earned before. They are not refused: without it the base speaks alone, as one would have had.
    """
    if not weights.components:
        return None
    data = weights.data
    if data is None:
        known = "their file does not say on which days"
    elif data.until > since:
        known = f"on what was known until {data.until:%Y-%m-%d %H:%M} UTC"
    else:
        return None
    return f"The weights {weights.version} were earned {known}: in this replay no component counts."


def _refused(why: str) -> ConflictError:
    return ConflictError(
        "Not replayed with this model.",
        why=why,
        do="Replay what came after it, or with models fitted month by month: --walk-forward",
        code="data_overlap",
    )
