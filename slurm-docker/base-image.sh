#!/bin/bash
# Provides a public base image: the engine's own, else the registry's, else one made here from the machine's apt sources
# and tagged with the official name, so that the Dockerfiles are the same with and without an image registry.
# usage: base-image.sh debian:SUITE-slim | python:3.11-slim
set -euo pipefail
image=$1
pull_limit_s=120

! docker image inspect "$image" > /dev/null 2>&1 || exit 0
! timeout "$pull_limit_s" docker pull --quiet "$image" 2> /dev/null || exit 0

fail() { echo "base-image.sh: $*" >&2; exit 1; }

# The archive this machine itself installs from; $1 is a pattern of the suites meant.
archive() {
    apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' \
        | awk -v suite="$1" '$1 ~ suite && $2 == "main" { print $3; exit }'
}

# Of each suite the archive itself and its security updates, those of which exist; sid's successor may have none.
write_sources() {
    local root=$1 suite=$2 main security
    main=$(archive '^[a-z]+$') security=$(archive '-security$')
    echo "deb $main $suite main" > "$root/etc/apt/sources.list"
    [ -z "$security" ] || echo "deb $security $suite-security main" > "$root/etc/apt/sources.list.d/security.list"
    chroot "$root" apt-get update -qq 2> /dev/null || rm -f "$root/etc/apt/sources.list.d/security.list"
}

# What this machine needs to reach its archive: proxies, dates of a frozen mirror, further authorities.
write_machine_settings() {
    local root=$1
    apt-config dump --format '%f "%v";%n' Acquire::Check-Valid-Until Acquire::Check-Date \
        Acquire::http::Proxy Acquire::https::Proxy > "$root/etc/apt/apt.conf.d/90machine"
    echo 'Acquire::Languages "none";' >> "$root/etc/apt/apt.conf.d/90machine"
    if compgen -G '/usr/local/share/ca-certificates/*.crt' > /dev/null; then
        cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
        chroot "$root" update-ca-certificates > /dev/null 2>&1
    fi
}

make_debian() {
    local suite=$1 root script=()
    [ "$(id -u)" = 0 ] || fail "$image cannot be pulled, and making it needs root"
    command -v debootstrap > /dev/null || fail "$image cannot be pulled, and there is no debootstrap to make it"
    [ -e "/usr/share/debootstrap/scripts/$suite" ] || script=(sid)
    root=$(mktemp -d)
    trap "rm -rf '$root'" EXIT
    chmod 755 "$root"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$(archive '^[a-z]+$')" "${script[@]}" \
        > "$root.log" 2>&1 || { tail "$root.log" >&2; fail "debootstrap $suite did not work"; }
    rm -f "$root.log"
    write_machine_settings "$root"
    write_sources "$root" "$suite"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/usr/share/{doc,man,info,locale}/* \
        "$root"/var/log/* "$root"/etc/{resolv.conf,hostname}
    printf 'path-exclude /usr/share/%s/*\n' doc man info locale > "$root/etc/dpkg/dpkg.cfg.d/no-docs"
    echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/unsafe-io" # what breaks off here is made anew anyway
    tar -C "$root" --numeric-owner -c . | docker import --change 'CMD ["bash"]' - "$image" > /dev/null
}

# The official image's Python lies in /usr/local and may be installed into.
make_python() {
    "$0" debian:bookworm-slim
    DOCKER_BUILDKIT=0 docker build --quiet --tag "$image" - > /dev/null 2>&1 << 'DOCKERFILE'
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-pip python3-venv \
 && rm -rf /var/lib/apt/lists/* /usr/lib/python3.11/EXTERNALLY-MANAGED \
 && ln -s /usr/bin/python3 /usr/local/bin/python3 && ln -s /usr/bin/python3 /usr/local/bin/python \
 && ln -s /usr/bin/pip3 /usr/local/bin/pip
CMD ["python3"]
DOCKERFILE
}

echo "making $image from this machine's package sources" >&2
case $image in
    debian:*-slim) suite=${image#debian:}; make_debian "${suite%-slim}" ;;
    python:3.11-slim) make_python ;;
    *) fail "no way to make $image here" ;;
esac
