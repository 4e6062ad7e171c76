#!/bin/bash
# Preprocessing module: notes in the working directory what the login node is like; passes the user input on as it is.
set -eu
{
    echo "host:     $(hostname)"
    echo "system:   $(. /etc/os-release && echo "${PRETTY_NAME:-unknown}")"
    echo "kernel:   $(uname -sr)"
    echo "compiler: $(gcc --version 2>/dev/null | head -n 1 || true)"
    echo "slurm:    $(sinfo --version 2>/dev/null || true)"
    echo "disk:     $(df -Ph . | awk 'NR == 2 { print $4 " free of " $2 }')"
} > "$GRIDFERRY_WORKING_DIRECTORY/node_report.txt"
cat
