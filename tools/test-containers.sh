#!/bin/bash
# A selection of the container tests: the core path and what only several hosts can show, shared out between the oldest
# generation of Slurm and one newer, both at once. Where no engine can be had all are skipped, with the reason; where one
# can be had, none may be skipped for the lack of it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python

declare -A tests=(
    [bullseye]="test_first_light test_hosts test_ways_out"
    [bookworm]="test_hosts test_outages test_cluster_commands test_registry_image"
)

# run SUITE OPTION...: what is started in the background would not hear Ctrl-C without the first word.
run() {
    local suite=$1 files=() name
    shift
    for name in ${tests[$suite]}; do files+=("tests/e2e/$name.py"); done
    echo "== containers: Debian $suite"
    env --default-signal=INT GRIDFERRY_TEST_GRID="$suite" $python -m pytest "${files[@]}" "$@"
}

tools/install-system.sh docker || true # what is missing is told, and by the next line once more
if $python -m demo.docker check; then export GRIDFERRY_TEST_GRID_MUST_BE=yes; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
run bookworm "$@" > "$log" 2>&1 &
run bullseye "$@" || status=$?
wait $! || status=$?
cat "$log"
exit $status
