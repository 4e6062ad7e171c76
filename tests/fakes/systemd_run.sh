#!/bin/sh
# A fake of `systemd-run --user`: the options it is given are those of the real one; what it runs gets no environment
# of the caller's, is no child of a login, and goes on when that ends.
while [ "${1#--}" != "$1" ]; do
    case $1 in
        --user | --quiet | --collect) shift ;;
        *) echo "unrecognized option '$1'" >&2; exit 1 ;;
    esac
done
env -i "SYSTEMD_EXEC_PID=1" setsid "$@" < /dev/null > /dev/null 2>&1 &
