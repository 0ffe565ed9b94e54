#!/bin/sh
# Set up what is missing, then start sandbox, engine and API.  start.sh [--practice]
set -u
started=$(date +%s)
if [ -x .venv/bin/polyb0t ] && sh scripts/install.sh run quiet; then
  exec .venv/bin/python -m polyb0t.runtime.launch --setup-seconds "$(($(date +%s) - started))" "$@"
fi
printf ' 1/4  Python environment   '
sh scripts/install.sh run quiet &
installer=$!
trap 'kill $installer 2>/dev/null; echo; echo "Stopped. Nothing was started."; exit 0' INT TERM
while kill -0 $installer 2>/dev/null; do printf '.'; sleep 1; done
wait $installer || { echo " failed"; exit 1; }
trap - INT TERM
printf '\r'
exec .venv/bin/python -m polyb0t.runtime.launch --setup-seconds "$(($(date +%s) - started))" "$@"
