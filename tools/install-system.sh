#!/bin/bash
# Installs the Debian or Ubuntu packages that are missing: as root, or by sudo, or by telling the one command to run.
# usage: install-system.sh GROUP...      groups: sandbox test docker python
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

# program:package, by group; a package is installed when its program is not there
declare -A GROUPS_OF=(
    [sandbox]="slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client slurmdbd:slurmdbd munged:munge
        mariadbd:mariadb-server-core sshd:openssh-server ssh:openssh-client gcc:gcc:libc6-dev git:git"
    [test]="runc:runc busybox:busybox-static setpriv:util-linux tcsh:tcsh fish:fish zsh:zsh modulecmd:environment-modules
        chromium:chromium chromedriver:chromium-driver faketime:faketime"
    [docker]="docker:docker.io dockerd:docker.io docker-compose:docker-compose debootstrap:debootstrap
        iptables:iptables ip:iproute2"
    [python]="no-such-program:python3:python3-venv"
)

# Whoever has an engine and compose has all of that group.
if docker version > /dev/null 2>&1 && docker compose version > /dev/null 2>&1; then GROUPS_OF[docker]=; fi

missing=()
for group in "$@"; do
    for entry in ${GROUPS_OF[$group]}; do
        IFS=: read -ra parts <<< "$entry"
        command -v "${parts[0]}" > /dev/null || missing+=("${parts[@]:1}")
    done
done
[ ${#missing[@]} -gt 0 ] || exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
if ! command -v apt-get > /dev/null; then
    echo "These packages are missing, and there is no apt-get here: ${missing[*]}" >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    as_root=()
elif command -v sudo > /dev/null && { sudo -n true 2> /dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
else
    echo "Packages are missing. Have an administrator run: $install" >&2
    exit 1
fi

echo "installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install; } > "$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "That did not work; the command was: $install" >&2
    exit 1
fi
