"""Both alarms wake a loop when it is time, never before, and once for each setting."""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns

import pytest
import uvloop

from loadtest.engines.builtin.alarm import Alarm, LoopAlarm, TimerFileAlarm

MS = 1_000_000


@pytest.mark.parametrize("make", [TimerFileAlarm, LoopAlarm])
def test_an_alarm_goes_off_when_it_is_time(
    make: Callable[[asyncio.AbstractEventLoop, Callable[[], None]], Alarm],
) -> None:
    late_ns: list[int] = []

    async def wait() -> None:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        due_ns = perf_counter_ns() + 5 * MS

        def on_due() -> None:
            nonlocal due_ns
            late_ns.append(perf_counter_ns() - due_ns)
            if len(late_ns) == 50:
                alarm.close()
                alarm.close()
                done.set_result(None)
                return
            due_ns = perf_counter_ns() + [3 * MS, 100_000, 0, -MS][len(late_ns) % 4]
            alarm.set(due_ns)

        alarm = make(loop, on_due)
        alarm.set(due_ns)
        await done
        await asyncio.sleep(0.01)

    uvloop.run(wait())
    assert 50 == len(late_ns)
    assert min(late_ns) >= 0
    assert sorted(late_ns)[25] < 2 * MS, "generous, for a busy machine"
