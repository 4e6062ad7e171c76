"""Time limits and memory sizes as researchers write them and as Slurm reads them: seconds and MiB inside."""

import math
import re
from typing import Dict, List, Optional

#: So many digits no time, size or number of Slurm's has; `int` takes some milliseconds for the longest it reads.
_DIGITS = r"\d{1,15}"
_WHOLE = re.compile(_DIGITS, re.ASCII)
_UNIT_S: Dict[str, int] = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WORDED = re.compile("".join(f"(?:({_DIGITS}){unit})?" for unit in _UNIT_S), re.ASCII)
_CLOCK = re.compile(rf"(?:({_DIGITS})-)?({_DIGITS}):(\d{{1,2}})(?::(\d{{1,2}}))?", re.ASCII)
_UNIT_MIB: Dict[str, float] = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024 * 1024}
_SIZE = re.compile(rf"({_DIGITS}(?:\.{_DIGITS})?)\s*([KMGT])(?:i?B)?", re.IGNORECASE | re.ASCII)


def whole_number(text: str) -> Optional[int]:
    """Read plain digits as a number; None for all else, such as `²`, which `str.isdigit` takes for one."""
    return int(text) if _WHOLE.fullmatch(text) else None


def parse_duration_s(text: str) -> int:
    """Read `1d2h30m`, `45m`, `1-02:30:00` (days-hours:minutes:seconds) or `02:30:00` as seconds.

    Raises:
        ValueError: it is none of these, or no time at all.
    """
    compact = re.sub(r"\s+", "", str(text)).lower()
    worded, clock = _WORDED.fullmatch(compact), _CLOCK.fullmatch(compact)
    if worded and any(worded.groups()):
        seconds = sum(int(n or 0) * _UNIT_S[unit] for n, unit in zip(worded.groups(), "dhms"))
    elif clock:
        days, first, second, third = clock.groups()
        if third is None and days is None:
            raise ValueError(f"{text!r} may mean minutes:seconds or hours:minutes")
        parts = (days, first, second, third)
        seconds = sum(int(n or 0) * _UNIT_S[unit] for n, unit in zip(parts, "dhms"))
    else:
        raise ValueError(f"{text!r} is not a duration")
    if seconds == 0:
        raise ValueError("a duration of zero")
    return seconds


def parse_slurm_time_s(text: str) -> Optional[int]:
    """Read a time limit as Slurm prints it: `30:00` (minutes), `2:00:00`, `7-00:00:00`; None for a word."""
    days, dash, clock = text.rpartition("-")
    parts = clock.split(":")
    missing = ["0"] * (3 - len(parts))
    numbers = [
        whole_number(part) for part in (days if dash else "0", *((parts + missing) if dash else (missing + parts)))
    ]
    known = [number for number in numbers if number is not None]
    if known != numbers or len(known) != len(_UNIT_S):
        return None
    return sum(number * length_s for number, length_s in zip(known, _UNIT_S.values()))


def format_slurm_time(seconds: int) -> str:
    """Write seconds as Slurm's `days-hours:minutes:seconds`."""
    days, rest = divmod(seconds, _UNIT_S["d"])
    hours, rest = divmod(rest, _UNIT_S["h"])
    return "{}-{:02d}:{:02d}:{:02d}".format(days, hours, *divmod(rest, 60))


def format_duration(seconds: float) -> str:
    """Write a span of time for people by its two largest units: `2d 4h`, `3h 12m`, `5m 10s`, `12s`."""
    rest = max(0, int(seconds))
    parts: List[str] = []
    for unit, length_s in _UNIT_S.items():
        number, rest = divmod(rest, length_s)
        if number or parts:
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2]) or "0s"


def parse_memory_mib(text: str) -> int:
    """Read `2625M`, `4G`, `1.5GiB`, `512K` as MiB, rounded up (Slurm's units are powers of 1024).

    Raises:
        ValueError: no number with a unit, or zero.
    """
    match = _SIZE.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is not a size with a unit")
    mib = math.ceil(float(match.group(1)) * _UNIT_MIB[match.group(2).upper()])
    if mib == 0:
        raise ValueError("a size of zero")
    return mib


def format_bytes(count: float) -> str:
    """Write a number of bytes for people: `1.4 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:  # noqa: PLR2004 - the step between binary units
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
