"""Runs an engine as the command line does: in the foreground, ended by Ctrl-C. Prints a dot for each sample.

`python -m tests.integration.engines.conformance.driver ENGINE PROFILE PORT`.
"""

import sys

from loadtest.engines import engine_for
from tests.integration.engines.conformance.loads import plan
from tests.integration.engines.targets import target_at

# Longer than any test waits.
ENDLESS = {
    "closed": {"requests": 1_000_000},
    "constant_rate": {"duration_s": 3_600.0},
    "ramping_rate": {"rate_rps": 100.0},
    "users": {"duration_s": 3_600.0},
}


def main(engine: str, profile: str, port: str) -> None:
    load = plan(engine, profile, **ENDLESS[profile])
    engine_for(load).run(
        load,
        target_at(int(port), {"foo.localhost": b"foo"}),
        lambda _: print(".", end="", flush=True),
        lambda: None,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
