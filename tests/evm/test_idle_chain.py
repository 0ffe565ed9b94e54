"""A practice chain on which nobody trades is not taken for a node that is behind."""

import os

from polyb0t.core.clock import SystemClock
from polyb0t.sandbox.chain.anvil import Anvil, find_anvil
from tests.evm.conftest import PROJECT, absent


def test_blocks_come_by_themselves_and_take_a_transaction() -> None:
    binary = find_anvil(os.environ, PROJECT)
    if binary is None:
        absent("anvil, which `make install` brings where npm is present")
    running, clock = Anvil(binary, block_seconds=1), SystemClock()
    try:
        end = clock.boot_seconds() + 20
        while int(str(running.node.call("eth_blockNumber")), 16) < 2:
            assert clock.boot_seconds() < end, "no block came"
            clock.sleep(0.05)
        sender = running.node.call("eth_accounts")[0]
        name = running.node.call("eth_sendTransaction", {"from": sender, "to": sender, "value": "0x1"})
        while (receipt := running.node.call("eth_getTransactionReceipt", name)) is None:
            assert clock.boot_seconds() < end, "no block took it"
            clock.sleep(0.05)
        assert receipt["status"] == "0x1"
    finally:
        running.close()
