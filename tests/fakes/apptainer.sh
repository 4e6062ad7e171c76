#!/bin/sh
# Stands for Apptainer, which Debian has no package of: `apptainer exec [--bind DIR] [--pwd DIR] IMAGE COMMAND…`.
# The command runs in no container, but it finds the image's name where Apptainer puts it, and is where it would be.
[ "$1" = exec ] || { echo "Error: unknown command \"$1\" for \"apptainer\"" >&2; exit 1; }
shift
while :; do
    case $1 in
    --bind) [ -d "$2" ] || { echo "FATAL: mount source $2 doesn't exist" >&2; exit 255; }; shift 2 ;;
    --pwd) cd "$2" || exit 255; shift 2 ;;
    -*) echo "Error: unknown flag: $1" >&2; exit 1 ;;
    *) break ;;
    esac
done
[ -e "$1" ] || { echo "FATAL: could not open image $1" >&2; exit 255; }
APPTAINER_CONTAINER=$1
export APPTAINER_CONTAINER
shift
exec "$@"
