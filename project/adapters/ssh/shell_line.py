"""A script as one word of a command line that any login shell passes on unharmed."""

from __future__ import annotations

import re

#: All but these bytes are written as octal escapes: tcsh stumbles over quoted newlines and "!", fish over some
#: backslashes, and each shell has its own idea of the rest.
_PLAIN = re.compile(rb"[^A-Za-z0-9_./=: -]")


def shell_line(script: str) -> str:
    r"""Return a command line that has `/bin/sh` run `script`, whose standard input stays free for data.

    The login shell (tcsh, fish, …) sees letters, digits and `\0ooo` between single quotes, which mean themselves in
    every shell; `printf %b`, which POSIX defines, makes the script of them.
    """
    octal = _PLAIN.sub(lambda byte: rb"\0%03o" % byte[0][0], script.encode(errors="surrogateescape"))
    return f"""/bin/sh -c 'eval "$(printf %b "{octal.decode()}")"'"""
