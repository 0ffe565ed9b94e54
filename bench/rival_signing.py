"""Times the rival in an environment of its own: prints JSON with medians in milliseconds.

Run by bench_signing.py; imports nothing of polyb0t.
"""

import json
import statistics
import sys
import time
from importlib.util import find_spec

from py_clob_client_v2.clob_types import CreateOrderOptions, OrderArgsV2
from py_clob_client_v2.order_builder.builder import OrderBuilder
from py_clob_client_v2.order_utils.exchange_order_builder_v2 import ExchangeOrderBuilderV2
from py_clob_client_v2.signer import Signer

KEY = "0x" + "11" * 32
TOKEN = "71321045679252212594626385532706912750332728571942532289631379312455583992563"
EXCHANGE = "0xE111180000d2663C0091e4f400237545B87B996B"


def main(rounds: int) -> None:
    signer = Signer(KEY, 137)
    builder = OrderBuilder(signer)
    options = CreateOrderOptions(tick_size="0.01", neg_risk=False)
    args = OrderArgsV2(token_id=TOKEN, price=0.45, size=10.0, side="BUY")
    hasher = ExchangeOrderBuilderV2(EXCHANGE, 137, signer)
    signed, hashed = [], []
    for _ in range(rounds + 3):
        start = time.perf_counter()
        order = builder.build_order(args, options)
        middle = time.perf_counter()
        hasher.build_order_hash(hasher.build_order_typed_data(order))
        end = time.perf_counter()
        signed.append((middle - start) * 1000)
        hashed.append((end - middle) * 1000)
    print(
        json.dumps(
            {
                "sign_ms": statistics.median(signed[3:]),
                "hash_ms": statistics.median(hashed[3:]),
                "coincurve": find_spec("coincurve") is not None,
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
