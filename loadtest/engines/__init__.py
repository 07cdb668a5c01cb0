"""Load engines: each sends a plan's load and hands over one sample per request."""

from collections.abc import Callable, Mapping

from loadtest.engines.contract import Engine


def _builtin() -> Engine:
    from loadtest.engines.builtin import BuiltinEngine

    return BuiltinEngine()


# An engine is imported only when it is made: naming the choices has to cost nothing.
ENGINES: Mapping[str, Callable[[], Engine]] = {"builtin": _builtin}
DEFAULT_ENGINE = "builtin"
