"""Time limits and sizes as researchers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core.units import format_bytes, format_duration, format_slurm_time, parse_duration_s, parse_memory_mib


@given(st.integers(1, 10**9))
def test_slurms_time_round_trips(seconds: int) -> None:
    """What is written for Slurm reads back as the same seconds."""
    assert parse_duration_s(format_slurm_time(seconds)) == seconds


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(1, 99))
def test_worded_durations_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    """Days, hours, minutes and seconds, with or without spaces, in either case."""
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    assert parse_duration_s(f"{days}d{hours}h{minutes}m{seconds}s") == total
    assert parse_duration_s(f" {days}D {hours}H {minutes}M {seconds}S ") == total


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1d2h30m", 95400), ("45m", 2700), ("90m", 5400), ("1:30:00", 5400), ("1-02:30", 95400), ("1-02:30:00", 95400)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    """The spellings of the documentation."""
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "00:00:00", "90", "1.5h", "ten minutes", "1:30", "-5m", "1h1d", "5m!", "٣m"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """No unit, no time at all, two readings, or units the wrong way round."""
    with pytest.raises(ValueError, match=r"."):
        parse_duration_s(text)


@given(st.integers(1, 10**7))
def test_mebibytes_round_trip(mib: int) -> None:
    """Sizes in MiB and GiB are exact."""
    assert parse_memory_mib(f"{mib}M") == mib
    assert parse_memory_mib(f"{mib}GiB") == 1024 * mib


@pytest.mark.parametrize(
    ("text", "mib"),
    [("2625M", 2625), ("4G", 4096), ("4 gb", 4096), ("1.5GiB", 1536), ("512K", 1), ("1025K", 2), ("1T", 1048576)],
)
def test_sizes_are_read_and_rounded_up(text: str, mib: int) -> None:
    """Powers of 1024, as Slurm has them, never less than was asked for."""
    assert parse_memory_mib(text) == mib


@pytest.mark.parametrize("text", ["", "4", "0M", "-1G", "G", "1.G", "four G", "4P", "4GG"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """A number without unit is as little a size as a unit without number."""
    with pytest.raises(ValueError, match=r"."):
        parse_memory_mib(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1.5 * 1024**2, "1.5 MiB"), (3 * 1024**4, "3.0 TiB")],
)
def test_bytes_are_written_for_people(count: float, text: str) -> None:
    """One digit behind the point, the unit that fits."""
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (-5, "0s"), (59.9, "59s"), (60, "1m 0s"), (3661, "1h 1m"), (86400 * 3 + 7, "3d 0h")],
)
def test_spans_are_said_by_their_two_largest_units(seconds: float, said: str) -> None:
    """Nobody reads the third."""
    assert format_duration(seconds) == said
