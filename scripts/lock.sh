#!/bin/sh
# Hashed locks without addresses: what runs, and what runs plus what tests need.
set -eu
for kind in run dev; do
  out=requirements.lock; extra="--extra setup"
  [ "$kind" = dev ] && out=requirements-dev.lock && extra="--extra setup --extra dev"
  .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-header --no-annotate --python-version 3.11 pyproject.toml $extra -o "$out"
done
if command -v npm >/dev/null 2>&1; then
  npm install --silent --package-lock-only --ignore-scripts
  .venv/bin/python scripts/strip_lock.py
fi
! grep -n '://' requirements.lock requirements-dev.lock package-lock.json
