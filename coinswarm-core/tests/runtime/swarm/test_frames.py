"""Frames: what goes in comes out, in order on each subject, and none is larger than a bus carries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coinswarm.ports import MAX_MESSAGE
from coinswarm.runtime.swarm import frames
from coinswarm.runtime.swarm.frames import FRAME_BYTES, framed, messages_of

MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["mem.vote", "mem.propose"]), st.binary(max_size=40).filter(lambda data: b"\n" not in data)
    )
)


@given(MESSAGES)
def test_what_goes_in_comes_out_in_order_on_each_subject(messages: list[tuple[str, bytes]]) -> None:
    came = [(frame.subject, data) for frame in framed(messages) for data in messages_of(frame.data)]
    for subject in ("mem.vote", "mem.propose"):
        assert [data for to, data in came if to == subject] == [data for to, data in messages if to == subject]
    assert sum(frame.messages for frame in framed(messages)) == len(messages)


def test_a_frame_is_as_large_as_it_may_be_and_one_message_stays_itself() -> None:
    large, small = b"x" * (FRAME_BYTES - 10), b"y"
    found = list(framed([("a", large), *[("a", small)] * 6, ("b", small)]))
    assert [(frame.subject, frame.messages) for frame in found] == [("a", 6), ("a", 1), ("b", 1)]
    assert all(len(frame.data) <= FRAME_BYTES for frame in found)
    assert found[-1].data == small
    alone = list(framed([("a", b"z" * (2 * FRAME_BYTES))]))
    assert [frame.messages for frame in alone] == [1], "what is larger goes by itself"
    assert frames.FRAME_BYTES < MAX_MESSAGE
