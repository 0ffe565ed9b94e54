"""History as a stream of what became known when, and what a replay makes of it."""
