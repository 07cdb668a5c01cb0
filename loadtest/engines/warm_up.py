"""The requests before the window: every host has to answer rightly before anything is measured."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from loadtest.engines.client import Client
from loadtest.engines.exchange import Exchange, Request, request_to
from loadtest.engines.held_signals import run_interruptible
from loadtest.engines.response import Answer
from loadtest.errors import UnhealthyError
from loadtest.plan import LoadPlan
from loadtest.target import TargetEnvironment

Send = Callable[[Request], Awaitable[Exchange]]

_SHOWN_BODY_BYTES = 200


def warm_up_hosts(plan: LoadPlan, target: TargetEnvironment, *, pause_s: float) -> None:
    """`warm_up` for engines whose load is sent by another program, which opens its connections itself."""
    run_interruptible(_warm_up_hosts(plan, target, pause_s))


async def _warm_up_hosts(plan: LoadPlan, target: TargetEnvironment, pause_s: float) -> None:
    loop, ingress = asyncio.get_running_loop(), target.ingress
    client = Client(loop=loop, address=ingress.address, port=ingress.port, timeout_s=plan.timeout_s)
    requests = [request_to(app) for app in target.apps]
    try:
        await warm_up(client.exchange, requests, retries=plan.warm_up_retries, pause_s=pause_s)
    finally:
        client.close()


async def warm_up(send: Send, requests: Iterable[Request], *, retries: int, pause_s: float) -> None:
    """Ask each host until it answers rightly. Raises UnhealthyError where it does not after all retries."""
    for request in requests:
        await _until_right(send, request, retries=retries, pause_s=pause_s)


async def _until_right(send: Send, request: Request, *, retries: int, pause_s: float) -> None:
    answer = (await send(request)).answer
    for _ in range(retries):
        if answer.error is None:
            return
        await asyncio.sleep(pause_s)
        answer = (await send(request)).answer
    if answer.error is not None:
        raise UnhealthyError(
            f"{request.host} did not answer rightly to {retries + 1} warm-up request(s), "
            f"the last time: {_described(answer)}; expected was the body {_shown(request.expected_body)}",
            hint="Look at the pods and the ingress: `kubectl get pods,ingress --all-namespaces`.",
        )


def _described(answer: Answer) -> str:
    if answer.status is None:
        return str(answer.error)
    return f"{answer.error}, status {answer.status}, body {_shown(answer.body)}"


def _shown(body: bytes) -> str:
    """Text from outside: control characters escaped, length capped."""
    text = repr(body[:_SHOWN_BODY_BYTES].decode(errors="replace"))
    return f"{text} (the first {_SHOWN_BODY_BYTES} bytes)" if len(body) > _SHOWN_BODY_BYTES else text
