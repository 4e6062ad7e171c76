"""Exit codes as the accounting tells them.

sacct prints `code:signal`, and takes 128 from every code that has it (measured: `exit 255` is shown as 127:0). So it
cannot tell 137, a program killed in the script, from 9; the script can.
"""

from project.core.units import whole_number

#: What the accounting leaves out of a code.
_LEFT_OUT = 128


def full_exit_code(told: str, noted: str) -> str:
    """Return `code:signal` with the whole code, if what the job script noted of its own end goes with it.

    Args:
        told: the accounting's word.
        noted: what the script noted: its exit code, then the time; "" if it noted nothing.
    """
    code, colon, signal = told.partition(":")
    own = whole_number(noted.partition(" ")[0])
    if own is None or signal != "0" or whole_number(code) != own - _LEFT_OUT:
        return told
    return f"{own}{colon}{signal}"
