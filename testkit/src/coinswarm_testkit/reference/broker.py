"""A reference broker for the plain dialect of the testkit's venue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, SecretStr

from coinswarm.domain.health import Condition, Health
from coinswarm.domain.observation import Cursor
from coinswarm.domain.trading import AccountReport, Balance, FillReport, OrderReport, OrderState
from coinswarm.errors import (
    AmbiguousError,
    InvariantError,
    NotReadyError,
    OperatorError,
    RateLimitedError,
    RetryableError,
    UnreachableError,
)
from coinswarm.ports import Broker
from coinswarm_testkit.reference import http

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from coinswarm.domain.order import RiskApproved
    from coinswarm.domain.trading import Ticket
    from coinswarm.ports import OnReport

T = TypeVar("T")

OKAY, NONE, DUPLICATE, REJECTED, TOO_MANY, SERVER_FAULT = 200, 404, 409, 422, 429, 500
REFUSED = (401, 403)


class BrokerSettings(BaseModel):
    """Where the account is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://api.venue.example"
    api_key: SecretStr = SecretStr("")


class PlainBroker(Broker):
    """Keeps nothing: every answer is the venue's."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._open = False
        self._problem = ""
        self._seen: datetime | None = None

    async def __aenter__(self) -> Self:
        """Find out whether the venue knows the key."""
        self._open = True
        await self.account()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave it; nothing is kept open between requests."""
        self._open = False

    async def health(self) -> Health:
        """From the last request."""
        if not self._open:
            return Health(Condition.DOWN, "it is not open", self._seen)
        return Health(Condition.DOWN if self._problem else Condition.GOOD, self._problem, self._seen)

    async def submit(self, order: RiskApproved[Ticket]) -> OrderReport:
        """Send an order once; one that is known already is looked up."""
        ticket = order.item
        body = {
            "client_id": ticket.client_id,
            "symbol": ticket.symbol,
            "side": ticket.side,
            "quantity": str(ticket.quantity),
            "kind": int(ticket.kind),
            "limit": None if ticket.limit is None else str(ticket.limit),
            "trigger": None if ticket.trigger is None else str(ticket.trigger),
            "tif": int(ticket.tif),
            "reduce_only": ticket.reduce_only,
            "post_only": ticket.post_only,
        }
        answer = await self._ask("POST", "/orders", body=body)
        if answer.status == DUPLICATE:
            return await self._known(ticket)
        if answer.status == REJECTED:
            account = await self.account()
            return OrderReport(
                client_id=ticket.client_id,
                venue_id="",
                symbol=ticket.symbol,
                side=ticket.side,
                quantity=ticket.quantity,
                filled=Decimal(0),
                state=OrderState.REJECTED,
                at=account.at,
                reason=answer.body.decode("utf-8", "replace"),
            )
        return _read(answer, _order)

    async def _known(self, ticket: Ticket) -> OrderReport:
        """The order that the venue has under a ticket's id, if it is that ticket's."""
        found = await self.order(ticket.client_id, ticket.symbol)
        if found is None:
            message = f"the venue knows {ticket.client_id}, and does not find it"
            raise AmbiguousError(message)
        if (found.symbol, found.side, found.quantity) != (ticket.symbol, ticket.side, ticket.quantity):
            message = f"{ticket.client_id} is another order at the venue: {found}"
            raise InvariantError(message)
        return found

    async def cancel(self, client_id: str, symbol: str) -> OrderReport | None:
        """Ask for an order's end."""
        answer = await self._ask("DELETE", "/orders", query={"client_id": client_id, "symbol": symbol})
        return None if answer.status == NONE else _read(answer, _order)

    async def order(self, client_id: str, symbol: str) -> OrderReport | None:
        """How an order stands."""
        answer = await self._ask("GET", "/orders", query={"client_id": client_id, "symbol": symbol})
        return None if answer.status == NONE else _read(answer, _order)

    async def open_orders(self) -> Sequence[OrderReport]:
        """Every working order, page by page."""
        found: list[OrderReport] = []
        more = True
        while more:
            after = found[-1].venue_id if found else ""
            page = _read(await self._ask("GET", "/open", query={"after": after}), _open_page)
            found += page[0]
            more = page[1]
        return found

    async def fills(self, after: Cursor) -> tuple[Sequence[FillReport], Cursor]:
        """A page of fills; the cursor counts them."""
        answer = await self._ask("GET", "/fills", query={"after": after.text or "0"})
        found = _read(answer, lambda page: [_fill(one) for one in page["fills"]])
        return found, Cursor(str(int(after.text or 0) + len(found)))

    async def account(self) -> AccountReport:
        """Balances and rights."""
        return _read(await self._ask("GET", "/account"), _account)

    async def watch(self, tell: OnReport) -> None:
        """Wait for events, over and over."""
        at = _read(await self._ask("GET", "/events"), lambda page: str(page["next"]))
        while True:
            events, at = _read(await self._ask("GET", "/events", query={"after": at}), _events)
            for one in events:
                await tell(one)

    async def _ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: object = None
    ) -> http.Answer:
        """One request, and who must act when it fails."""
        if not self._open:
            message = "the broker is not open"
            raise NotReadyError(message, remedy="use it inside `async with`")
        try:
            answer = await http.request(
                method,
                self._settings.base_url,
                path,
                query=query,
                headers={"x-api-key": self._settings.api_key.get_secret_value()},
                body=b"" if body is None else json.dumps(body).encode(),
            )
            _demand_answer(answer, method, path)
        except http.LostError as error:
            self._problem = str(error)
            if method == "POST":
                message = f"the venue was sent an order and did not answer ({error})"
                raise AmbiguousError(message) from None
            raise
        except (RetryableError, OperatorError) as error:
            self._problem = str(error)
            raise
        self._problem = ""
        return answer


def _demand_answer(answer: http.Answer, method: str, path: str) -> None:
    """Turn a status into the error that says who must act."""
    if answer.status == TOO_MANY:
        text = answer.headers.get("retry-after", "")
        message = f"{path} wants to be left alone"
        raise RateLimitedError(message, seconds=float(text) if text.isdigit() else 0.0)
    if answer.status in REFUSED:
        message = f"{path} refuses the key ({answer.status})"
        raise OperatorError(message, remedy="set api_key to a key that the venue knows")
    if answer.status >= SERVER_FAULT:
        message = f"{path} answers {answer.status}"
        raise (AmbiguousError if method == "POST" else UnreachableError)(message)


def _read(answer: http.Answer, read: Callable[[Any], T]) -> T:
    """What a reader makes of an answer.

    :raises AmbiguousError: when it makes nothing of it: what was asked may have been done.
    """
    try:
        if answer.status == OKAY:
            return read(json.loads(answer.body))
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation, RecursionError):
        pass
    message = f"the venue answers {answer.status} and nothing that can be understood"
    raise AmbiguousError(message)


def _open_page(data: Any) -> tuple[list[OrderReport], bool]:  # noqa: ANN401 - any JSON
    """A page of open orders, and whether there are more."""
    return [_order(one) for one in data["orders"]], bool(data["more"])


def _events(data: Any) -> tuple[list[OrderReport | FillReport], str]:  # noqa: ANN401 - any JSON
    """What happened, and where to go on."""
    return [_order(one) if one["type"] == "order" else _fill(one) for one in data["events"]], str(data["next"])


def _account(data: Any) -> AccountReport:  # noqa: ANN401 - any JSON
    """The account from its JSON."""
    balances = [Balance(asset=b["asset"], free=Decimal(b["free"]), held=Decimal(b["held"])) for b in data["balances"]]
    balances.sort(key=lambda one: one.asset)
    return AccountReport(balances=tuple(balances), at=_utc(data["at"]), rights=tuple(data["rights"]))


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _order(data: Any) -> OrderReport:  # noqa: ANN401 - any JSON
    """An order from its JSON."""
    return OrderReport(
        client_id=data["client_id"],
        venue_id=data["venue_id"],
        symbol=data["symbol"],
        side=int(data["side"]),
        quantity=Decimal(data["quantity"]),
        filled=Decimal(data["filled"]),
        state=OrderState(data["state"]),
        at=_utc(data["at"]),
        reason=data["reason"],
    )


def _fill(data: Any) -> FillReport:  # noqa: ANN401 - any JSON
    """A fill from its JSON."""
    return FillReport(
        trade_id=data["trade_id"],
        client_id=data["client_id"],
        venue_id=data["venue_id"],
        symbol=data["symbol"],
        side=int(data["side"]),
        quantity=Decimal(data["quantity"]),
        price=Decimal(data["price"]),
        fee=Decimal(data["fee"]),
        fee_asset=data["fee_asset"],
        at=_utc(data["at"]),
        maker=data["maker"],
    )
