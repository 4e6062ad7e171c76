"""How an array's tasks come to a login shell's environment without a login shell for each of them.

The first two tasks on a node start one. What it has brought each of them is written down, and where that is the same
for both, the others there take it as it is. See docs/decisions/0011-one-login-for-a-node.md.
"""

#: Read by the job script behind the guard, whose variables it uses. Whatever does not work ends in a login shell.
LOGIN_ONCE = r"""# What a login shell brings: of the first two tasks on a node, then taken over by the others.
gridferry_login=$gridferry_control/login.${SLURMD_NODENAME:-node}
gridferry_state() { shopt | grep -v '^login_shell'; set +o; umask; ulimit -Sa; ulimit -Ha; trap; pwd; }
gridferry_tell() {
    gridferry_state | cmp -s - "$1/state" || echo "# not all of it can be taken over $$"
    while IFS= read -r -d '' gridferry_name; do
        gridferry_name=${gridferry_name%%=*}
        case $gridferry_name in
            BASH_* | GRIDFERRY_LOGIN | _ | SHLVL | PWD | OLDPWD) ;;
            *) declare -p "$gridferry_name" ;;
        esac
    done < <(env -0 | sort -z | comm -z -13 "$1/env" -)
    for gridferry_name in $(compgen -v | sort | comm -13 "$1/names" -); do
        case $gridferry_name in
            BASH_* | FUNCNAME | GRIDFERRY_LOGIN | PIPESTATUS | gridferry_*) ;;
            *) declare -p "$gridferry_name" ;;
        esac
    done
    declare -f
    declare -Fx | sed 's/^declare -fx/export -f/'
}
if shopt -q login_shell; then
    if [ -n "$GRIDFERRY_LOGIN" ]; then
        gridferry_tell "$GRIDFERRY_LOGIN" > "$GRIDFERRY_LOGIN/new"
        mv "$GRIDFERRY_LOGIN/new" "$GRIDFERRY_LOGIN/told"
        rm -f "$GRIDFERRY_LOGIN/env"
        if cmp -s "$gridferry_login.1/told" "$gridferry_login.2/told"; then
            mv -f "$GRIDFERRY_LOGIN/told" "$gridferry_login"
        elif [ -e "$gridferry_login.1/told" ] && [ -e "$gridferry_login.2/told" ]; then
            (set -C; : > "$gridferry_login") 2>/dev/null
        fi
        unset GRIDFERRY_LOGIN
    fi
else
    if [ ! -e "$gridferry_login" ]; then
        for gridferry_own in "$gridferry_login.1" "$gridferry_login.2"; do
            if mkdir "$gridferry_own" 2>/dev/null; then
                echo $$ > "$gridferry_own/pid"
                env -0 | sort -z > "$gridferry_own/env"
                compgen -v | sort > "$gridferry_own/names"
                gridferry_state > "$gridferry_own/state"
                GRIDFERRY_LOGIN=$gridferry_own exec /bin/bash -l "$0"
            fi
        done
        for gridferry_own in 0.{1,1,1,1,2,2,2,3,3,4,6,8} 1 1 {2..7}; do
            [ -e "$gridferry_login" ] && break
            sleep "$gridferry_own"
            kill -0 $(cat "$gridferry_login".[12]/pid 2>/dev/null) 2>/dev/null || break
        done
    fi
    [ -s "$gridferry_login" ] || exec /bin/bash -l "$0"
    . "$gridferry_login"
fi
unset -f gridferry_state gridferry_tell
"""
