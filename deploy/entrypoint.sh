#!/bin/sh
# Hands secrets that are files to polyb0t, without a line of them on a command line, and becomes it.
set -eu
secrets=${SECRETS_FOLDER:-/run/secrets}
if [ -r "$secrets/database_password" ]; then
  PGPASSWORD=$(cat "$secrets/database_password")
  export PGPASSWORD
fi
if [ -r "$secrets/keystore_passwords" ]; then
  exec 3<"$secrets/keystore_passwords"
  export POLYBOT_KEYSTORE_PASSWORD_FD=3
fi
exec polyb0t "$@"
