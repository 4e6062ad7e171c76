# What the entrypoint's roles are made of.

log() { echo "$(date +%T) $*" >&2; }

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local limit_s=$1 started=$SECONDS
    shift
    until "$@" > /dev/null 2>&1; do
        if ((SECONDS - started >= limit_s)); then log "gave up waiting for: $*"; return 1; fi
        sleep 0.2
    done
}

listens() { (exec 3<> "/dev/tcp/$1/$2") 2> /dev/null; }

own_address() { hostname -i | awk '{ print $1 }'; }

# This container's name as the engine's name server knows it: PROJECT, a separator, SERVICE, the separator, NUMBER.
# compose 1 and 2 differ in the separator.
container_name() {
    local name
    name=$(getent -s hosts:dns hosts "$(own_address)" | awk '{ print $2 }')
    echo "${name%%.*}"
}
own_number() { container_name | sed -E 's/.*[-_]([0-9]+)$/\1/'; }

# The names of all node containers of this cluster, as a hostlist.
node_addresses() { container_name | sed -E "s/(.*)([-_])$CLUSTER-[a-z]+[-_][0-9]+\$/\1\2$CLUSTER-node\2[1-$NODES]/"; }

slurm_version() { slurmd -V | sed -E 's/.* ([0-9]+)\.([0-9]+).*/\1\2/'; }

# Whether memory limits can be enforced from inside a container: known to work with cgroup version 1 alone.
has_cgroups() { [ -d /sys/fs/cgroup/memory ]; }

# How processes of a job are found and its memory limit is kept: by cgroups, else by looking every few seconds.
tracking() {
    if [ "$1" = cgroup ]; then
        printf '%s\n' ProctrackType=proctrack/cgroup TaskPlugin=task/cgroup
    else
        printf '%s\n' ProctrackType=proctrack/linuxproc JobAcctGatherParams=OverMemoryKill
    fi
}

# What not every Slurm knows: how MPI programs are started, and that a node's address may change.
by_version() {
    local pmix=(/usr/lib/*/slurm*/mpi_pmix.so)
    if [ -e "${pmix[0]}" ]; then echo MpiDefault=pmix; else echo MpiDefault=pmi2; fi
    [ "$(slurm_version)" -ge 2505 ] || echo CommunicationParameters=NoAddrCache
}

# configure cgroup|linuxproc: writes slurm.conf and the files beside it.
configure() {
    local text
    text=$(< /etc/slurm/slurm.conf.in)
    text=${text//@CLUSTER@/$CLUSTER} text=${text//@NODES@/$NODES} text=${text//@NODE_CPUS@/$NODE_CPUS}
    text=${text//@NODE_MEMORY_MIB@/$NODE_MEMORY_MIB} text=${text//@NODE_TIMEOUT_S@/$NODE_TIMEOUT_S}
    text=${text//@BY_VERSION@/$(by_version)}
    text=${text//@NODE_ADDRESSES@/$(node_addresses)} text=${text//@TRACKING@/$(tracking "$1")}
    text=${text//@MORE_LINES@/${MORE_LINES//;/$'\n'}}
    echo "$text" > /etc/slurm/slurm.conf
    cgroup_conf "$1" > /etc/slurm/cgroup.conf
    [ "$(slurm_version)" -lt 2108 ] || oci_conf > /etc/slurm/oci.conf
}

cgroup_conf() {
    local version
    version=$(slurm_version)
    if [ "$1" = cgroup ]; then
        [ "$version" -lt 2108 ] || echo CgroupPlugin=cgroup/v1
        printf '%s\n' CgroupMountpoint=/sys/fs/cgroup ConstrainRAMSpace=yes ConstrainSwapSpace=no
    elif [ "$version" -ge 2302 ]; then
        echo CgroupPlugin=disabled
    elif [ "$version" -ge 2108 ]; then
        echo CgroupPlugin=cgroup/v1
    fi
}

# oci.conf(5): how slurmd runs the bundle of `sbatch --container`.
oci_conf() {
    local runc='runc --rootless=true --root=/run/user-containers' container='%n.%u.%j.%s.%t'
    printf '%s\n' "RunTimeQuery=\"$runc state $container\"" "RunTimeKill=\"$runc kill -a $container\"" \
        "RunTimeDelete=\"$runc delete --force $container\"" "RunTimeRun=\"$runc run --no-new-keyring --no-pivot -b %b $container\""
}

# One key per cluster, on a volume; of several containers that start at once the first makes it.
start_munge() {
    local own
    install -d -o munge -g munge -m 700 /etc/munge /var/lib/munge /var/log/munge
    install -d -o munge -g munge -m 755 /run/munge
    if [ ! -s /etc/munge/munge.key ]; then
        own=$(mktemp /etc/munge/key.XXXXXX)
        dd if=/dev/urandom bs=128 count=1 of="$own" status=none
        chown munge "$own" && chmod 400 "$own"
        ln "$own" /etc/munge/munge.key 2> /dev/null || true
        rm -f "$own"
    fi
    runuser -u munge -- munged --num-threads=2
    wait_for 60 munge --no-input
}
