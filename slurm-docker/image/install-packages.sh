#!/bin/bash
# install-packages.sh PACKAGE...: installs them and keeps nothing else. A mirror may list a security update it does not
# hold (any more); then the release's own version is taken.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
security=/etc/apt/sources.list.d/security.list

install() { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" > /dev/null; }

if ! install "$@"; then
    [ ! -e "$security" ] || mv "$security" "$security.off"
    install "$@"
fi
rm -rf /var/lib/apt/lists/* /var/cache/apt/*
