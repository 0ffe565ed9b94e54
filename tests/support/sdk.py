"""The vendor's SDK, unmodified, pointed at a sandbox the way its own integration tests do it."""

import dataclasses
from collections.abc import Mapping

from polymarket._internal.environment import PRODUCTION_CONFIG, create_environment
from polymarket.environments import Environment

from tests.support.sandbox import RunningSandbox


def sdk_environment(sandbox: RunningSandbox) -> Environment:
    """The environment of a sandbox in this process."""
    return environment_at(sandbox.url, sandbox.urls())


def environment_at(url: str, urls: Mapping[str, str]) -> Environment:
    """Every service at the sandbox; what it does not serve points at a path that answers 404."""
    nowhere, deaf = f"{url}/unserved", f"{url.replace('http', 'ws', 1)}/unserved"
    config = dataclasses.replace(
        PRODUCTION_CONFIG,
        clob_url=urls["clob"],
        clob_market_ws_url=urls["market_ws"],
        clob_user_ws_url=urls["user_ws"],
        gamma_url=urls["gamma"],
        data_url=urls["data"],
        relayer_url=urls["relayer"],
        rpc_url=urls["rpc"],
        rfq_url=nowhere,
        rtds_ws_url=deaf,
        sports_ws_url=deaf,
        rfq_quoter_ws_url=deaf,
        builder_gateway_url=nowhere,
        collateral_return_url=nowhere,
        perps_url=nowhere,
        perps_ws_url=deaf,
        realtime_ws_url=deaf,
    )
    return create_environment(name="sandbox", config=config)
