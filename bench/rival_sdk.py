"""The vendor's SDK, unmodified, pointed at a sandbox that runs as a process of its own."""

from dataclasses import dataclass
from typing import Any, cast

from polymarket.environments import Environment

from tests.e2e.household import Household
from tests.support.sandbox import RunningSandbox
from tests.support.sdk import sdk_environment

NAME = "polymarket-client 0.14.0"


@dataclass(frozen=True, slots=True)
class ServedSandbox:
    """As much of a running sandbox as the SDK's environment is made of."""

    url: str
    described: dict[str, Any]

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def urls(self) -> dict[str, str]:
        return cast("dict[str, str]", self.described["urls"])


def environment_of(home: Household) -> Environment:
    served = ServedSandbox(home.sandbox_url, home.http("GET", "/sandbox/environment"))
    return sdk_environment(cast("RunningSandbox", served))


def practice_account(home: Household, index: int) -> dict[str, Any]:
    accounts: list[dict[str, Any]] = home.http("GET", "/sandbox/environment")["accounts"]
    return accounts[index]
