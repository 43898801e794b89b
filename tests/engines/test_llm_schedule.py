"""The schedule of the language model, in virtual time: fair, streams first, and people before background work."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.engines.llama_schedule import (
    FIRST_CHUNK,
    LEAST_CHUNK,
    ROOM,
    Bid,
    Need,
    Pace,
    admission,
    shares,
)

needs = st.lists(
    st.builds(
        Need, missing=st.one_of(st.integers(0, 2), st.integers(0, 2000)), live=st.booleans(), background=st.booleans()
    ),
    min_size=1,
    max_size=8,
)
limits = st.integers(1, 512)


@given(needs, limits, st.integers(1, 512), st.integers(0, 100))
def test_nobody_gets_more_than_is_missing_and_a_step_is_never_larger_than_its_limit(needs, limit, chunk, turn):
    given = shares(needs, limit, chunk, turn)
    assert len(given) == len(needs)
    assert sum(given) <= limit
    assert all(0 <= count <= need.missing for count, need in zip(given, needs, strict=True))


@given(needs, limits, st.integers(1, 512))
def test_background_work_gets_nothing_while_a_person_is_there(needs, limit, chunk):
    given = shares(needs, limit, chunk)
    if not all(need.background for need in needs):
        assert all(count == 0 for count, need in zip(given, needs, strict=True) if need.background)


@given(needs, limits, st.integers(1, 512))
def test_streams_get_their_next_token_before_prompts_get_any(needs, limit, chunk):
    given = shares(needs, limit, chunk)
    background = all(need.background for need in needs)
    streams = [c for c, n in zip(given, needs, strict=True) if n.missing == 1 and n.background == background]
    prompts = sum(c for c, n in zip(given, needs, strict=True) if n.missing > 1)
    assert sum(streams) == min(limit, len(streams))
    assert prompts == 0 or all(streams)
    if any(need.live and need.background == background for need in needs):
        assert prompts <= chunk


@given(needs, limits, st.integers(1, 512), st.integers(0, 100))
def test_prompts_share_evenly_and_nothing_is_left_over(needs, limit, chunk, turn):
    given = shares(needs, limit, chunk, turn)
    background = all(need.background for need in needs)
    prompts = [
        (c, n.missing) for c, n in zip(given, needs, strict=True) if n.missing > 1 and n.background == background
    ]
    unserved = [count for count, missing in prompts if count < missing]
    if unserved:
        assert max(count for count, _ in prompts) - min(unserved) <= 1, "who has more than another lacks nothing less"
        left = limit - sum(c for c, n in zip(given, needs, strict=True) if n.missing == 1)
        live = any(need.live and need.background == background for need in needs)
        assert sum(count for count, _ in prompts) == (min(left, chunk) if live else left)


@given(st.integers(2, 8))
def test_where_there_is_too_little_for_all_each_is_first_in_turn(people):
    served = [0] * people
    for turn in range(people):
        for i, count in enumerate(shares([Need(1)] * people, 1, 1, turn)):
            served[i] += count
    assert served == [1] * people


@dataclass
class Client:
    """An answer in virtual time: `prompt` tokens to evaluate, `answer` tokens to say, coming at step `at`."""

    prompt: int
    answer: int
    at: int = 0
    background: bool = False
    spoken: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    @property
    def need(self):
        return Need(self.prompt or 1, bool(self.spoken), self.background)

    def take(self, count, now):
        self.steps.append(count)
        self.prompt = max(0, self.prompt - count)
        if count and not self.prompt:
            self.spoken.append(now)
            self.answer -= 1


def run(clients, *, base_s, token_s, limit=128, pace=None):
    """Serve everybody on a machine where a step takes `base_s` and `token_s` a token; the steps taken."""
    pace = pace or Pace()
    now, turn, log = 0.0, 0, []
    while any(c.answer > 0 for c in clients):
        here = [c for c in clients if c.at <= turn and c.answer > 0]
        given = shares([c.need for c in here], limit, pace.chunk, turn) if here else []
        turn += 1
        if not here:
            continue
        assert sum(given) > 0, "somebody always goes on"
        prompt = sum(count for count, c in zip(given, here, strict=True) if c.prompt > 1)
        took = base_s + token_s * sum(given)
        now += took
        people = any(not c.background for c in here)
        live = any(c.spoken for c in here if c.background != people)
        log.append((took, live, prompt))
        for count, client in zip(given, here, strict=True):
            client.take(count, now)
        pace.learn(prompt, took)
    return log


clients = st.lists(
    st.builds(
        Client,
        prompt=st.integers(1, 1500),
        answer=st.integers(1, 40),
        at=st.integers(0, 60),
        background=st.booleans(),
    ),
    min_size=1,
    max_size=4,
)
machines = st.tuples(st.floats(0.001, 0.05), st.floats(0.0001, 0.02))


@given(clients, machines)
def test_everybody_is_answered_and_streams_hardly_wait_for_the_prompts_of_others(clients, machine):
    base_s, token_s = machine
    log = run(clients, base_s=base_s, token_s=token_s)
    assert all(client.answer == 0 for client in clients)
    allowed = max(0.1, base_s + token_s * (LEAST_CHUNK + 4)) * 1.5 + 4 * token_s
    first = max(allowed, base_s + token_s * (FIRST_CHUNK + 4))
    learnt = False
    for took, live, prompt in log:
        if live and prompt:
            assert took <= (allowed if learnt else first)
        learnt = learnt or prompt >= LEAST_CHUNK


@given(st.integers(2, 4), st.integers(100, 1000))
def test_equal_prompts_that_come_together_are_answered_together(people, prompt):
    together = [Client(prompt, 5) for _ in range(people)]
    run(together, base_s=0.005, token_s=0.002)
    first = [client.spoken[0] for client in together]
    assert max(first) - min(first) <= 2 * (0.005 + 128 * 0.002)


def test_a_short_question_does_not_wait_for_a_long_prompt():
    long, short = Client(2000, 5), Client(40, 5)
    run([long, short], base_s=0.005, token_s=0.002)
    assert short.spoken[-1] < long.spoken[0] / 3


@given(st.integers(1, 40), st.integers(2, 400), st.integers(1, 1500))
def test_background_work_yields_within_one_step_and_goes_on_afterwards(at, prompt, background_prompt):
    job = Client(background_prompt, 60, background=True)
    person = Client(prompt, 10, at=at)
    run([job, person], base_s=0.005, token_s=0.002)
    meanwhile = job.steps[at : at + len(person.steps)]
    assert person.answer == job.answer == 0
    assert sum(meanwhile) == 0
    assert len(job.steps) >= at


bids = st.lists(st.builds(Bid, cells=st.integers(1, 3000), background=st.booleans()), max_size=6)


@given(bids, bids, st.integers(1, 4), st.integers(256, 4096))
def test_admission_keeps_to_sequences_cells_and_the_order_of_arrival(waiting, active, sequences, cells):
    active = active[:sequences]
    choice = admission(waiting, active, sequences, cells)
    people = [i for i, bid in enumerate(waiting) if not bid.background]
    if choice is None:
        return
    first, paused = choice
    working = [bid for i, bid in enumerate(active) if i not in paused]
    assert first == (people[0] if people else 0)
    assert len(working) + 1 <= sequences
    assert not working or sum(b.cells + ROOM for b in [*working, waiting[first]]) <= cells
    assert all(active[i].background for i in paused)
    assert not paused or not waiting[first].background
    if waiting[first].background:
        assert all(bid.background for bid in active)


@given(bids, st.integers(1, 4))
def test_who_is_alone_always_begins_and_background_work_never_keeps_a_person_waiting(waiting, sequences):
    if waiting:
        assert admission(waiting, (), sequences, 256) is not None
    if any(not bid.background for bid in waiting):
        assert admission(waiting, [Bid(200, background=True)] * sequences, sequences, 256) is not None


def test_only_as_much_background_work_pauses_as_a_person_needs():
    active = [Bid(500), Bid(100, background=True), Bid(100, background=True)]
    assert admission([Bid(500)], active, 4, 4096) == (0, ())
    assert admission([Bid(500)], active, 3, 4096) == (0, (2,))
    assert admission([Bid(500)], active, 4, 1250) == (0, (2, 1))
    assert admission([Bid(500)], active, 4, 1000) is None


@given(st.lists(st.tuples(st.integers(0, 512), st.floats(0, 100)), max_size=30))
def test_the_pace_is_never_below_the_least_chunk(steps):
    pace = Pace()
    for prompt, seconds in steps:
        pace.learn(prompt, seconds)
        assert pace.chunk >= LEAST_CHUNK
