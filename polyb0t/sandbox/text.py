"""Whole millionths as the decimal texts of the wire."""

from functools import lru_cache


@lru_cache(maxsize=65_536)
def e6_text(millionths: int) -> str:
    """The shortest exact decimal of an integer count of millionths: 450000 is `0.45`."""
    whole, rest = divmod(abs(millionths), 1_000_000)
    sign = "-" if millionths < 0 else ""
    return f"{sign}{whole}.{rest:06d}".rstrip("0").rstrip(".") if rest else f"{sign}{whole}"
