"""The host of an engine, without a process around it."""

from threading import Event

from aimark_daemon.engines.base import Count, CountRequest, Facts
from aimark_daemon.workers.host import EngineHost
from aimark_daemon.workers.messages import Begin, Result, pack
from aimark_daemon.workers.running import RunningCall


class Slow:
    """Counts one text at a time; "오래" until `go` is set."""

    parallel = 1

    def __init__(self):
        self.go = Event()

    def load(self, _settings, _progress):
        return Facts()

    def count(self, request, _call):
        if request.text == "오래":
            assert self.go.wait(20)
        return Count(1)

    def close(self):
        pass


def test_the_watchdog_never_counts_the_time_that_a_call_waited_in_the_queue(monkeypatch):
    now, beats, ended = [0.0], [], Event()

    def send(message):
        if isinstance(message, Result) and message.id == 2:
            ended.set()

    engine = Slow()
    host = EngineHost("느린", send, clock=lambda: now[0])
    host.load(lambda: engine, {})
    started = RunningCall.started

    def beat_between(call):
        if call.begin.id == 2:
            beats.append(host.heartbeat())
        started(call)
        beats.append(host.heartbeat())

    monkeypatch.setattr(RunningCall, "started", beat_between)
    host.handle(Begin(1, "count", pack(CountRequest("오래"))))
    host.handle(Begin(2, "count", pack(CountRequest("다음"))))
    now[0] = 1000.0
    engine.go.set()
    assert ended.wait(20)
    host.stop()
    assert len(beats) >= 2
    assert [beat.stalled_s for beat in beats[-2:]] == [0.0, 0.0]
