#!/bin/bash
# entrypoint.sh ROLE: slurmdbd, slurmctld, node or login. The environment says which cluster (compose.yaml).
set -euo pipefail
. /usr/local/lib/cluster/cluster-functions.sh

# MariaDB on its socket alone, then slurmdbd.
slurmdbd_role() {
    install -d -o mysql -g mysql /run/mysqld /var/lib/mysql /var/log/mysql
    [ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=mysql --skip-test-db > /dev/null
    mariadbd --user=mysql &
    wait_for 120 mariadb --execute='SELECT 1'
    mariadb --execute="CREATE DATABASE IF NOT EXISTS slurm_acct_db;
        CREATE USER IF NOT EXISTS slurm@localhost IDENTIFIED VIA unix_socket;
        GRANT ALL ON slurm_acct_db.* TO slurm@localhost"
    install -d -o slurm /run/slurmdbd
    exec runuser -u slurm -- slurmdbd -D # 20.11 would log in to the database as root
}

slurmctld_role() {
    install -d -o slurm -g slurm /var/lib/slurm/slurmctld
    wait_for 120 listens slurmdbd 6819
    if ! sacctmgr --noheader --parsable2 show cluster format=cluster | grep --quiet --line-regexp "$CLUSTER"; then
        sacctmgr --immediate --quiet add cluster "$CLUSTER" > /dev/null
        sacctmgr --immediate --quiet add account users "cluster=$CLUSTER" > /dev/null
        sacctmgr --immediate --quiet add user ada,bob account=users "cluster=$CLUSTER" > /dev/null
    fi
    exec slurmctld -D -i
}

# slurmd in cgroup mounts of its own, which it may write; they go with the container.
node_role() {
    local name address number
    name=$CLUSTER-$(own_number) address=$(own_address)
    if hostname "$name"; then echo "$address $name" >> /etc/hosts; fi
    install -d /var/lib/slurm/slurmd
    install -d -m 1777 /run/user-containers
    for number in 0 1; do
        [ -e "/dev/pretended-gpu$number" ] || mknod -m 666 "/dev/pretended-gpu$number" c 1 3 # as /dev/null
    done
    wait_for 120 getent hosts slurmctld
    if has_cgroups && ! unshare --cgroup --mount /usr/local/lib/cluster/entrypoint.sh mount-cgroups true; then
        log "no cgroups here: memory limits are kept by looking every few seconds"
        configure linuxproc
    elif has_cgroups; then
        exec unshare --cgroup --mount /usr/local/lib/cluster/entrypoint.sh mount-cgroups slurmd -D -N "$name"
    fi
    exec slurmd -D -N "$name"
}

# mount-cgroups COMMAND...: runs a command with cgroup version 1 mounted so that it may make groups, as on a host of its
# own, and with a /proc without the engine's masks, which a user's containers could not mount theirs beside.
mount_cgroups() {
    local controllers controller folder
    mount -t tmpfs cgroup /sys/fs/cgroup
    while IFS=: read -r _ controllers _; do
        [ -n "$controllers" ] || continue # that is version 2
        folder=/sys/fs/cgroup/${controllers#name=}
        mkdir "$folder"
        mount -t cgroup -o "${controllers/#name=/none,name=}" cgroup "$folder"
        for controller in ${controllers//,/ }; do
            [ "$controller" = "$controllers" ] || ln -s "$folder" "/sys/fs/cgroup/$controller"
        done
    done < /proc/self/cgroup
    mount -t proc proc /proc
    exec "$@"
}

login_role() {
    local user
    install -d /run/sshd /etc/ssh/hostkeys
    [ -s /etc/ssh/hostkeys/ed25519 ] || ssh-keygen -q -t ed25519 -N '' -C "$CLUSTER" -f /etc/ssh/hostkeys/ed25519
    for user in ada bob; do
        install -d -o "$user" -g "$user" -m 700 "/home/$user/.ssh"
        echo "$AUTHORIZED_KEYS" > "/home/$user/.ssh/authorized_keys"
        chown "$user:" "/home/$user/.ssh/authorized_keys"
    done
    exec "$(command -v sshd)" -D -e
}

if [ "$1" = mount-cgroups ]; then
    shift
    mount_cgroups "$@"
fi
configure "$(has_cgroups && echo cgroup || echo linuxproc)"
start_munge
log "$CLUSTER: $1, Slurm $(slurmd -V)"
"${1}_role"
