#!/bin/sh
# A prompt where `polyb0t` works; it finds what `make run` or `make practice` started.
PATH="$PWD/.venv/bin:$PATH"
PS1='polyb0t> '
export PATH PS1
echo 'Commands work here, for example: polyb0t intents list     Leave with: exit'
exec sh -i
