"""Histories with real processes: engines, commands, an API and an exchange that are really killed and stopped."""
