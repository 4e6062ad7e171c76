#!/bin/bash
# Makes the virtual environment in the folder named and installs the project with its development tools into it.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1

python=${PYTHON:-$(tools/find-python.sh)}
if [ -z "$python" ] || ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
    tools/install-system.sh python
    python=$(tools/find-python.sh)
fi
if [ -z "$python" ]; then
    echo "Gridferry needs Python 3.11 or newer, and this system's packages have none" >&2
    exit 1
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
