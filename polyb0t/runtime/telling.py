"""What an engine tells beside its own terminal: screens that are open elsewhere, and the owner's hook."""

from collections.abc import Callable
from decimal import Decimal

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.data.order_book import OrderBook
from polyb0t.execution.store import JournalEntry, Stores
from polyb0t.runtime.cycle import CycleReport
from polyb0t.runtime.notifying import Notifier
from polyb0t.runtime.shown_books import BooksForScreens


class Telling:
    """Its threads, off the way of money; `tell` shows a person a sentence."""

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        book: Callable[[AssetId], OrderBook | None],
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self._books = BooksForScreens(stores, book, clock)
        self._notifier: Notifier | None = None
        if settings.notify_command is not None:
            notifier = Notifier(settings.notify_command, settings.notify_seconds, stores)
            missing = notifier.missing()
            if missing:
                tell(missing)
            else:
                self._notifier = notifier

    def start(self) -> None:
        self._books.start()
        if self._notifier is not None:
            self._notifier.start()

    def happened(self, entry: JournalEntry) -> None:
        """Something was journalled. Never waits."""
        if self._notifier is not None:
            self._notifier.happened(entry)

    def close(self) -> None:
        """Within `notifying.LAST_SECONDS` and a little."""
        self._books.close()
        if self._notifier is not None:
            self._notifier.close()


def cycle_fact(report: CycleReport | None) -> dict[str, object]:
    """How long the last cycle took, as `facts.CycleFacts` reads it; nothing before the first."""
    if report is None or not report.stages:
        return {}
    slowest = max(report.stages, key=lambda stage: report.stages[stage])
    return {"cycle_took": [_seconds(report.seconds), slowest, _seconds(report.stages[slowest])]}


def _seconds(value: float) -> Decimal:
    return Decimal(round(value * 1_000)).scaleb(-3)
