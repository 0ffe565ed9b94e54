"""Statistics of a market's past: named, versioned, computed of what was known, and of no weight until they
have beaten the price."""
