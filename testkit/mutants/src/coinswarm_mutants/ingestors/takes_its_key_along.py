"""It follows a redirection, and takes its key along."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings
from coinswarm_testkit.reference import http
from coinswarm_testkit.reference.ingestors import demand_okay, understood

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I80"}


class Mutant(PolledReadings):
    """Goes wherever it is sent."""

    carries = True

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, from anywhere."""
        async with self._told(now):
            key = {"x-api-key": self._settings.api_key.get_secret_value()}
            query = {"series": self._settings.series, "from": cursor.text or "0"}
            answer = await http.request("GET", self._settings.base_url, "/v1/readings", query=query, headers=key)
            if answer.status in range(300, 400):
                place = urlsplit(answer.headers["location"])
                base, headers = f"{place.scheme}://{place.netloc}", key if self.carries else {}
                answer = await http.request("GET", base, place.path, headers=headers)
            demand_okay(answer, "/v1/readings")
            received = now()
            rows = understood(answer.body, "/v1/readings", lambda page: self.read(page, received))
            return self.batch(rows, cursor)


class Twin(Mutant):
    """Leaves it behind."""

    carries = False


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
