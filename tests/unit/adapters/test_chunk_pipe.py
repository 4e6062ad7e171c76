"""The pipe that channels of ours have, beside paramiko's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko.buffered_pipe import BufferedPipe, PipeTimeout

from project.adapters.ssh.chunk_pipe import ChunkPipe


@given(st.lists(st.one_of(st.binary(max_size=20), st.integers(1, 30))))
def test_it_gives_what_paramikos_gives(steps: list[bytes | int]) -> None:
    """Whatever comes and however much is asked for: the same bytes in the same pieces."""
    ours, theirs = ChunkPipe(), BufferedPipe()
    for step in steps:
        if isinstance(step, bytes):
            ours.feed(step)
            theirs.feed(step)  # type: ignore[arg-type]  # the stubs say str
        elif len(theirs):
            assert ours.read(step) == theirs.read(step)
        assert (len(ours), ours.read_ready()) == (len(theirs), theirs.read_ready())
    assert ours.empty() == theirs.empty()


def test_it_ends_as_paramikos_does() -> None:
    """An empty one times out; a closed one gives what is left, then nothing."""
    pipe = ChunkPipe()
    with pytest.raises(PipeTimeout):
        pipe.read(1, 0.0)
    pipe.feed(b"last words")
    pipe.close()
    assert (pipe.read(4), pipe.read(100), pipe.read(100)) == (b"last", b" words", b"")
