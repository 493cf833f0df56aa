#!/bin/sh
# start.sh COMMAND ARGUMENTS…: finds a Python that is new enough and hands over to the launcher.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1

# 3.12 and 3.11 come first: every locked package is ready-made for them.
found=none
for python in ${HELPDESK_PYTHON:-python3.12 python3.11 python3.13 python3.14 python3 python}; do
    command -v "$python" >/dev/null 2>&1 || continue
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        exec "$python" "$root/launcher" "$@"
    fi
    version=$("$python" --version 2>/dev/null) && [ "$found" = none ] && found=$version
done

echo "bin/$1: Python 3.11 or newer is needed and was not found (here: $found); install it and run this again." >&2
exit 1
