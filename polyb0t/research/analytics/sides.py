"""The sides of an analysis that there is a table of. Light: whoever offers them need not load the rest."""

from enum import StrEnum


class By(StrEnum):
    """What a table has a row for."""

    FATE = "fate"
    CATEGORY = "category"
    MODEL = "model"
    HORIZON = "horizon"
    DECILE = "decile"
    INTENT = "intent"
