#!/bin/sh
# Everything that is judged without running the product. Stops at the first failure.
set -eu
step() { printf '== %s\n' "$*"; "$@"; }
step .venv/bin/ruff format --check .
step .venv/bin/ruff check .
step .venv/bin/mypy
step .venv/bin/lint-imports
step .venv/bin/python -m polyb0t.runtime.config_document --check CONFIG_LIVE_MODE.md .env.example
step .venv/bin/python scripts/check_migrations.py
if grep -n '://' requirements.lock requirements-dev.lock package-lock.json; then
  echo "a lock file names a host" >&2
  exit 1
fi
echo "All checks passed."
