"""What is doubtful about the account's figures, in sentences that several screens share."""

from decimal import Decimal

from polyb0t.models import wording
from polyb0t.models.equity import AccountHealth


def health_doubts(health: AccountHealth) -> list[str]:
    """What is not explained or not fresh; nothing where all is well."""
    found = []
    if health.unexplained_pusd > 0:
        found.append(
            f"{wording.money(health.unexplained_pusd)} pUSD came in that nothing explains yet. They stay "
            "outside of equity and of every limit until the exchange's activity says what they are."
        )
    if health.unexplained_pusd < 0:
        found.append(
            f"{wording.money(Decimal(-health.unexplained_pusd))} pUSD are missing from the wallet and "
            "nothing explains it yet. After five minutes that stops trading."
        )
    if health.stale_seconds:
        found.append(
            f"{len(health.stale_seconds)} of the prices are not fresh: polyb0t positions names them."
        )
    return found
