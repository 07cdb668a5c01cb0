"""Sends an endless load as a run does, to be killed in the middle of it.

`python -m tests.integration.pipeline.load_driver ARTIFACTS HOST BODY PORT`.
"""

import sys
from pathlib import Path

from loadtest import records, sample_store
from loadtest.artifacts import Artifacts
from loadtest.engines import engine_for
from loadtest.load_options import LoadOptions
from loadtest.records import RunRecord
from tests.integration.engines.targets import target_at
from tests.unit.report import values


def main(root: str, host: str, body: str, port: str) -> None:
    artifacts = Artifacts(root=Path(root))
    target = target_at(int(port), {host: body.encode()})
    plan = LoadOptions(requests=500_000, concurrency=4).plan()
    record = RunRecord(run=values.RUN, machine=values.MACHINE, target=target, plan=plan)
    records.save(record, artifacts.run)
    with sample_store.writer(artifacts.samples) as writer:
        engine_for(plan).run(plan, target, writer.append, lambda: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
