"""`make bench` asks for its large rivals by the environment, in which the product reads its settings too."""

from bench.rivals import ASKED
from polyb0t.config.settings import load_settings


def test_what_asks_for_rivals_is_not_taken_for_a_setting(monkeypatch) -> None:
    monkeypatch.setenv(ASKED, "1")

    load_settings()
