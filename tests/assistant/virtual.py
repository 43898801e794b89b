"""Virtual time: an event loop whose clock jumps to the next timer, so that minutes take milliseconds."""

import asyncio
import selectors


class _Jumping(selectors.DefaultSelector):
    """Never waits; tells the loop how long it would have."""

    waited = 0.0

    def select(self, timeout=None):
        if timeout:
            self.waited += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self):
        return self._jumping.waited


def play(scene):
    """Run `scene(clock)` in virtual time; `clock` gives its seconds."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(scene(loop.time))
    finally:
        loop.close()
