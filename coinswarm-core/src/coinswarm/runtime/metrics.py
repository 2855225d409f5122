"""What a follower of a quorum sees, as metrics that Prometheus reads over HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from coinswarm.errors import NotReadyError, OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.metrics_core import Metric

    from coinswarm.runtime.following import Seen

HOST = "127.0.0.1"
"""Who may read them, unless another address is named: this machine."""


def address(text: str) -> tuple[str, int]:
    """``PORT`` or ``HOST:PORT`` as typed.

    :raises OperatorError: for another text.
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        message = f"{text!r} is no place for metrics"
        raise OperatorError(message, remedy="write PORT or HOST:PORT, as in 9464; 0 takes a free one")
    return host.strip("[]") or HOST, int(port)


@contextmanager
def serving(host: str, port: int, seen: Callable[[], Seen]) -> Iterator[int]:
    """Answer ``GET /metrics`` in a thread of its own.

    :param seen: what to tell, asked anew each time.
    :returns: the port.
    :raises NotReadyError: when the client of Prometheus is not installed.
    :raises OperatorError: when the place is taken, or not this machine's.
    """
    try:
        from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 - for who measures
    except ModuleNotFoundError:
        message = "metrics take prometheus-client, which is not installed"
        raise NotReadyError(message, remedy="pip install 'coinswarm-core[metrics]'") from None
    registry = CollectorRegistry()
    registry.register(_Collector(seen))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        message = f"metrics cannot be served at {host}:{port} ({error.strerror or error})"
        raise OperatorError(message, remedy="name another place with --metrics") from error
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Collector:
    """Makes metrics of what was seen, at each reading."""

    def __init__(self, seen: Callable[[], Seen]) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """As ``prometheus_client`` asks."""
        seen = self._seen()
        yield from _of_the_log(seen)
        yield from _of_seats(seen)
        yield from _of_the_index(seen)


def _of_the_log(seen: Seen) -> Iterator[Metric]:
    from prometheus_client.metrics_core import (  # noqa: PLC0415 - as above
        CounterMetricFamily,
        GaugeMetricFamily,
    )

    fold, roster = seen.fold, seen.fold.roster
    labels, own = ("cluster", "shard"), (fold.cluster, fold.shard)
    for name, text, value in (
        ("coinswarm_log_entries", "Entries of the log, verified.", fold.head.index),
        ("coinswarm_log_last_entry_timestamp_seconds", "The log's time of its last entry.", seen.last_ns / 1e9),
        ("coinswarm_roster_version", "Version of the roster in force.", roster.version),
        ("coinswarm_roster_voters", "Voters in the roster in force.", len(roster.voters)),
        ("coinswarm_roster_quorum", "Matching ballots that decide.", roster.quorum),
    ):
        gauge = GaugeMetricFamily(name, text, labels=labels)
        gauge.add_metric(own, value)
        yield gauge
    counter = CounterMetricFamily(
        "coinswarm_decisions", "Decisions of the log from its first entry on.", labels=(*labels, "kind", "outcome")
    )
    for (kind, outcome), count in sorted(seen.decisions.items()):
        counter.add_metric((*own, kind, outcome), count)
    yield counter


def _of_seats(seen: Seen) -> Iterator[Metric]:
    from prometheus_client.metrics_core import (  # noqa: PLC0415 - as above
        CounterMetricFamily,
        GaugeMetricFamily,
    )

    labels = ("cluster", "shard", "name", "part")
    up = GaugeMetricFamily("coinswarm_seat_up", "Whether the seat answers on the bus.", labels=labels)
    ready = GaugeMetricFamily("coinswarm_seat_ready", "Whether it has caught up with the log.", labels=labels)
    head = GaugeMetricFamily("coinswarm_seat_head", "The entry up to which it has read the log.", labels=labels)
    waiting = GaugeMetricFamily("coinswarm_seat_open_proposals", "Proposals that it waits for.", labels=labels)
    epoch = GaugeMetricFamily("coinswarm_seat_epoch", "Epoch in which it leads; 0: it does not.", labels=labels)
    counts = CounterMetricFamily("coinswarm_seat_events", "What it counts since its start.", labels=(*labels, "what"))
    for (name, part), status in seen.seats.items():
        own = (seen.fold.cluster, seen.fold.shard, name, part)
        up.add_metric(own, status is not None)
        if status is None:
            continue
        for gauge, key in ((ready, "ready"), (head, "head"), (waiting, "open"), (epoch, "epoch")):
            gauge.add_metric(own, float(status.get(key) or 0))
        for what, count in sorted(dict(status.get("counts") or {}).items()):
            counts.add_metric((*own, str(what)), float(count))
    yield from (up, ready, head, waiting, epoch, counts)


def _of_the_index(seen: Seen) -> Iterator[Metric]:
    from prometheus_client.metrics_core import GaugeMetricFamily  # noqa: PLC0415 - as above

    if seen.index is None:
        return
    labels = ("cluster", "space", "dimension")
    up = GaugeMetricFamily("coinswarm_memory_up", "Whether the memory backend can be used.", labels=("cluster",))
    up.add_metric((seen.fold.cluster,), not seen.index)
    entries = GaugeMetricFamily("coinswarm_memory_entries", "Episodes that can be recalled.", labels=labels)
    size = GaugeMetricFamily("coinswarm_memory_bytes", "What they take, about.", labels=labels)
    applied = GaugeMetricFamily(
        "coinswarm_memory_applied_entry", "The last entry of the log that changed it; 0: none.", labels=labels
    )
    for space, info in seen.spaces.items():
        own = (seen.fold.cluster, space.name, str(space.dimension))
        entries.add_metric(own, info.entries)
        size.add_metric(own, info.size_bytes)
        applied.add_metric(own, 0 if info.applied is None else info.applied.index)
    yield from (up, entries, size, applied)
