#!/bin/bash
# A selection of the container tests: the core path and what only several hosts can show, shared out between the oldest
# generation of Slurm and one newer. Where no engine can be had all are skipped, with the reason; where one can be had,
# none may be skipped for the lack of it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python

declare -A tests=(
    [bullseye]="test_first_light test_hosts test_ways_out"
    [bookworm]="test_hosts test_outages test_cluster_commands test_registry_image"
)

tools/install-system.sh docker || true # what is missing is told, and by the next line once more
if $python -m demo.docker check; then export GRIDFERRY_TEST_GRID_MUST_BE=yes; fi
for suite in bullseye bookworm; do
    files=()
    for name in ${tests[$suite]}; do files+=("tests/e2e/$name.py"); done
    echo "== containers: Debian $suite"
    GRIDFERRY_TEST_GRID=$suite $python -m pytest "${files[@]}" "$@"
done
