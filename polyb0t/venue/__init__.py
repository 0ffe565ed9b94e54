"""The only home of the Polymarket SDK, httpx and sockets."""
