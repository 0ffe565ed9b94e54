#!/bin/sh
# Create .venv and install the locked dependencies; does nothing when the lock has not changed.
#   install.sh run|dev [quiet]
set -eu
kind=$1
quiet=${2:-}
lock=requirements.lock
[ "$kind" = dev ] && lock=requirements-dev.lock
stamp=.venv/.installed-$kind

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
    if command -v "$name" >/dev/null 2>&1 && is_new_enough "$name"; then
      echo "$name"
      return
    fi
  done
  found=$(python3 --version 2>/dev/null || echo "no Python")
  echo "Not installed: polyb0t needs Python 3.11 or newer; found $found. Nothing was changed." >&2
  echo "Install a newer Python, or name one: PYTHON=/path/to/python3.12 make install" >&2
  exit 2
}

fingerprint() { cat "$lock" pyproject.toml | cksum; }

# Of npm: the vendor's JavaScript clients, which judge the sandbox in tests, and a local chain with its compiler.
# Without npm those tests are skipped.
install_judges() {
  [ "$kind" = dev ] && command -v npm >/dev/null 2>&1 || return 0
  judges=node_modules/.installed
  [ -f "$judges" ] && [ "$(cat "$judges")" = "$(cksum <package-lock.json)" ] && return 0
  if ! npm ci --silent >.npm.log 2>&1; then
    tail -n 15 .npm.log >&2
    echo "Went on without what npm brings (npm ci): tests of JavaScript clients and of the chain are skipped then." >&2
    [ "${CI:-}" != true ] || exit 1
    return 0
  fi
  rm -f .npm.log
  cksum <package-lock.json >"$judges"
}
install_judges

if [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint)" ]; then
  exit 0
fi
# What the tests need contains what running needs.
if [ "$kind" = run ] && [ -f .venv/.installed-dev ] && [ -x .venv/bin/polyb0t ]; then
  dev_now=$(cat requirements-dev.lock pyproject.toml | cksum)
  if [ "$(cat .venv/.installed-dev)" = "$dev_now" ]; then
    exit 0
  fi
fi

python=$(find_python)
[ -n "$quiet" ] || echo "Installing into .venv with $("$python" --version) (first time only)"
if ! [ -x .venv/bin/python ] || ! is_new_enough .venv/bin/python; then
  rm -rf .venv
  if ! "$python" -m venv .venv 2>.venv-error; then
    cat .venv-error >&2; rm -f .venv-error
    echo "Not installed: this Python cannot make virtual environments." >&2
    echo "On Debian and Ubuntu: apt install python3-venv, then run this again." >&2
    exit 2
  fi
  rm -f .venv-error
fi
log=.venv/install.log
if command -v uv >/dev/null 2>&1; then
  installer="uv pip install --quiet --compile-bytecode --python .venv/bin/python"
else
  installer=".venv/bin/python -m pip install --quiet --disable-pip-version-check"
fi
if ! $installer --require-hashes -r "$lock" >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  echo "Not installed: see $log. A package without a ready-made wheel for your Python needs a C compiler;" >&2
  echo "with Python 3.11 to 3.13 none does. Behind a proxy, set HTTPS_PROXY and run this again." >&2
  exit 1
fi
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  echo "Not installed: see $log." >&2
  exit 1
fi
# Ready-made bytecode halves the time that a first command takes.
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m compileall -q polyb0t >/dev/null 2>&1 || true
fingerprint >"$stamp"
