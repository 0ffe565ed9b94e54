"""`account`: every figure with what it consists of, and what is not known said in words."""

from decimal import Decimal

from polyb0t.cli import words
from polyb0t.cli.account_words import health_doubts
from polyb0t.cli.scene import Scene, context_line, look
from polyb0t.cli.terminal import Paint, Terminal
from polyb0t.core.clock import iso
from polyb0t.data.cash_flows import Booked
from polyb0t.models import wording
from polyb0t.models.cash_flows import cash_effect
from polyb0t.models.equity import AccountHealth
from polyb0t.runtime.account_view import NEWEST, Account, read_account
from polyb0t.runtime.opened import OpenedStore

_LABEL = 12


def show(terminal: Terminal, opened: OpenedStore) -> None:
    """Print the account."""
    account = read_account(opened)
    if terminal.json:
        terminal.data(account.view())
        return
    terminal.show(account_screen(account, look(opened), terminal.paint, terminal.columns))


def account_screen(account: Account, scene: Scene, paint: Paint, columns: int) -> list[str]:
    """The whole screen."""
    lines = [*context_line(scene, paint, columns).split("\n"), ""]
    health = account.health
    if health is None:
        lines += words.wrap(
            "What the account is worth is not known yet: no engine has looked at it. polyb0t run does.",
            columns,
        )
    else:
        lines += _figures(account, health, columns)
        lines += [line for sentence in _doubts(account, health) for line in words.wrap(sentence, columns)]
    if account.booked:
        lines += ["", "Moved besides our orders, the newest first"]
        lines += [words.cut(_moved(entry), columns) for entry in reversed(account.booked[-NEWEST:])]
    return lines


def _figures(account: Account, health: AccountHealth, columns: int) -> list[str]:
    money, portfolio = wording.money, account.ledger.portfolio
    held = f" ({money(account.reserved)} held for orders)" if account.reserved else ""
    rows = {
        "Equity": f"{money(health.equity_pusd)} pUSD: cash {money(account.facts.cash_pusd)}{held}, "
        f"positions at bid {money(account.holdings.value)}",
        "Peak": f"{money(health.peak_pusd)}, equity is {_percent(health.drawdown_fraction)} under it",
        "Today": f"{money(health.day_result_pusd, sign=True)} "
        f"({_percent(health.day_result_fraction, sign=True)}) since 00:00 UTC, "
        f"from {money(health.day_start_pusd)}",
        "Moved": f"{money(health.day_flows_pusd, sign=True)} in or out today, "
        f"{money(account.ledger.flows, sign=True)} since the books were opened: no result",
        "Result": f"{money(portfolio.realised, sign=True)} settled, fees {money(portfolio.fees)}",
    }
    lines = []
    for label, text in rows.items():
        first, *rest = words.wrap(text, max(20, columns - _LABEL))
        lines += [f"{label:<{_LABEL}}{first}", *(" " * _LABEL + line for line in rest)]
    return lines


def _doubts(account: Account, health: AccountHealth) -> list[str]:
    """What is not explained, not fresh or not read."""
    found = health_doubts(health)
    if not account.running:
        age = max(0, int((account.now - health.marked_at).total_seconds()))
        found.append(f"No engine is running: this is how it stood {wording.span(age)} ago.")
    for part, why in (account.read.missing if account.read else {}).items():
        found.append(f"{part} was not read: {wording.one_line(why)}")
    return found


def _moved(entry: Booked) -> str:
    movement = entry.movement
    taken = f"   {len(entry.taken)} of our positions went with it" if entry.taken else ""
    amount = wording.money(cash_effect(movement), sign=True)
    return f"  {iso(movement.at)[:19]}Z  {wording.one_line(movement.kind):<16} {amount:>12} pUSD{taken}"


def _percent(fraction: Decimal | None, *, sign: bool = False) -> str:
    if fraction is None:
        return "-"
    value = wording.round_to(fraction * 100, 2) if sign else wording.round_to(fraction * 100, 1)
    return f"{value:+.2f}%" if sign else f"{value:.1f}%"
