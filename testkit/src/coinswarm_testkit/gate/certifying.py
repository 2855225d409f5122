"""From a result to a certificate; and back, where a plugin fails what it once passed."""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinswarm.clock import SystemClock, iso
from coinswarm.errors import OutputError
from coinswarm.hookspecs import API_VERSION
from coinswarm.plugins.certificate import TIERS, Certificate, CheckRow
from coinswarm.plugins.certificates import KEY, core_version, issue, read_all
from coinswarm.plugins.gate import TESTKIT, dependencies
from coinswarm.plugins.records import CORE_DISTRIBUTION
from coinswarm.plugins.signing import own_key
from coinswarm.plugins.trust import digest_of
from coinswarm_testkit import __version__
from coinswarm_testkit.gate.evidence import market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.feeds.loaded import Loaded
    from coinswarm.plugins.records import PluginRecord
    from coinswarm_testkit.gate.request import Request


def demand_keepable(home: Path) -> None:
    """Hold that a certificate can be signed and kept, before minutes are spent on what it would say.

    :raises NotReadyError: when the signing key cannot be used.
    :raises OutputError: when nothing can be written there.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home).close()
        own_key(home, KEY)
    except OSError as error:
        raise _unkept(home, error) from None


def _unkept(home: Path, error: OSError) -> OutputError:
    """What is told of a home that takes no certificate."""
    message = f"no certificate can be kept in {home} ({error.strerror or error})"
    return OutputError(message, remedy="set COINSWARM_HOME to a folder that can be written")


def certify(
    request: Request,
    record: PluginRecord,
    files: Mapping[str, str],
    one: Mapping[str, Any],
    data: Mapping[str, Loaded],
) -> Path:
    """Issue the certificate of one subject.

    :param files: of its plugin, with their digests.
    :param one: its result, from ``judging``.
    :param data: the recorded bars that gold was measured on.
    :returns: where it is kept.
    :raises NotReadyError: when the signing key cannot be used.
    :raises OutputError: when it cannot be written.
    """
    try:
        return issue(Path(request.home), _certificate(request, record, files, one, data))
    except OSError as error:
        raise _unkept(Path(request.home), error) from None


def _certificate(
    request: Request,
    record: PluginRecord,
    files: Mapping[str, str],
    one: Mapping[str, Any],
    data: Mapping[str, Loaded],
) -> Certificate:
    """Everything that the certificate says."""
    on = market(data) if one["tier"] == "gold" else {}
    rows = tuple(CheckRow(**{name: row[name] for name in row if name != "again"}) for row in one["checks"])
    return Certificate(
        kind=one["kind"],
        name=one["name"],
        plugin=record.name,
        distribution=record.distribution,
        version=record.version,
        digest=digest_of(files),
        files=dict(files),
        made_with={
            CORE_DISTRIBUTION: core_version(),
            TESTKIT: __version__,
            "api": str(API_VERSION),
            "python": platform.python_version(),
            **{
                name: version
                for name, version in (dependencies(TESTKIT) | dependencies(record.distribution)).items()
                if name != CORE_DISTRIBUTION
            },
        },
        settings=one["settings"],
        seed=request.seed,
        thresholds={"set": request.thresholds, "lines": one["thresholds"]} if one["thresholds"] else {},
        trials=request.trials,
        platform=platform.platform(),
        waivers={row.id: row.reason for row in rows if row.outcome == "waived"},
        checks=rows,
        declaration=one["declaration"],
        asked=request.tier,
        tier=one["tier"],
        date=iso(SystemClock().now_ns()),
        **on,
    )


def revoke(request: Request, record: PluginRecord, files: Mapping[str, str], one: Mapping[str, Any]) -> list[Path]:
    """Take away certificates of ours that say more of these very files and settings than this result.

    Only what was run counts: a failure in silver's checks takes silver and gold away, one in gold's takes gold. A
    waived check fails only where it holds, and that is no fault of these files.

    :returns: what was removed.
    """
    failed = [row["tier"] for row in one["checks"] if row["outcome"] == "failed" and row["id"] not in request.waivers]
    if not failed:
        return []
    least = min(TIERS.index(tier) for tier in failed)
    home = Path(request.home)
    removed = []
    for found in read_all(home):
        if found.signed is None or found.signed.key != own_key(home, KEY):
            continue
        of = found.certificate
        same = (of.plugin, of.kind, of.name, of.digest, dict(of.settings)) == (
            record.name, one["kind"], one["name"], digest_of(files), one["settings"],
        )  # fmt: skip
        if same and TIERS.index(of.tier) >= least:
            found.path.unlink()
            removed.append(found.path)
    return removed
