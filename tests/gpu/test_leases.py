"""Leases of a card's memory: never more than there is, never from the busy, and everybody's turn comes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from aimark_daemon.gpu.leases import HEAD_START_S, NAMES, SETTLE_S, Arbiter, Evict, Granted, Refused, Use, Wait
from aimark_daemon.gpu.plan_faults import GPU_MEMORY_HELD, GPU_MEMORY_SHORT

TOTAL = 100
FOR_EVER = 1e6
HOLDERS = st.sampled_from(["llm", "stt", "image", "그림"])


class Machine(RuleBasedStateMachine):
    """A card, other programs, and holders that do as they like; the driver shows the end of a process late."""

    tickets = Bundle("tickets")

    def __init__(self):
        super().__init__()
        self.arbiter = Arbiter()
        self.now = 0.0
        self.foreign = 0
        self.ghosts = []
        """Bytes of ended processes that the driver still shows as taken."""
        self.granted = {}
        """Bytes by holder."""
        self.allocated = {}
        self.use = {}
        self.used = {}
        self.queue = []
        self.measured = None

    @property
    def free(self):
        return max(0, TOTAL - self.foreign - sum(self.ghosts) - sum(self.allocated.values()))

    def ended(self, holder):
        self.granted.pop(holder, None)
        self.use.pop(holder, None)
        if taken := self.allocated.pop(holder, 0):
            self.ghosts.append(taken)

    # What others do

    @rule(seconds=st.sampled_from([0.25, 1.0, 6.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(size=st.integers(0, TOTAL))
    def other_programs_take(self, size):
        self.foreign = size
        self.measured = None

    @precondition(lambda self: self.ghosts)
    @rule(data=st.data())
    def the_driver_gives_back(self, data):
        self.ghosts.pop(data.draw(st.integers(0, len(self.ghosts) - 1)))

    # What holders do

    @rule(
        target=tickets,
        holder=HOLDERS,
        size=st.integers(1, TOTAL + 20),
        priority=st.integers(0, 2),
        patience_s=st.sampled_from([0.0, 3.0, FOR_EVER]),
    )
    def ask(self, holder, size, priority, patience_s):
        if any(ticket.holder == holder for ticket in self.queue):
            with pytest.raises(ValueError, match="waits already"):
                self.arbiter.ask(holder, size, self.now)
            return None
        self.ended(holder)
        ticket = self.arbiter.ask(holder, size, self.now, priority=priority, patience_s=patience_s)
        self.queue.append(ticket)
        return ticket

    @rule(ticket=consumes(tickets))
    def withdraw(self, ticket):
        if ticket is not None:
            self.arbiter.withdraw(ticket)
            self.queue = [other for other in self.queue if other != ticket]

    @rule(holder=HOLDERS, part=st.integers(1, TOTAL))
    def allocates_a_part(self, holder, part):
        if self.use.get(holder) is Use.LOADING:
            self.allocated[holder] = min(part, self.granted[holder])

    @rule(holder=HOLDERS)
    def loads(self, holder):
        self.arbiter.loaded(holder, self.now)
        if self.use.get(holder) is Use.LOADING:
            self.allocated[holder] = self.granted[holder]
            self.use[holder], self.used[holder] = Use.IDLE, self.now

    @rule(holder=HOLDERS)
    def begins(self, holder):
        may = self.use.get(holder) in {Use.IDLE, Use.BUSY}
        assert self.arbiter.begin(holder, self.now) == may
        if may:
            self.use[holder], self.used[holder] = Use.BUSY, self.now

    @rule(holder=HOLDERS)
    def rests(self, holder):
        self.arbiter.rest(holder, self.now)
        if self.use.get(holder) is Use.BUSY:
            self.use[holder], self.used[holder] = Use.IDLE, self.now

    @rule(holder=HOLDERS)
    def dies(self, holder):
        self.arbiter.release(holder, self.now)
        self.ended(holder)

    @rule(holder=HOLDERS)
    def leaves_if_asked(self, holder):
        self.arbiter.left(holder, self.now)
        if self.use.get(holder) is Use.LEAVING:
            self.ended(holder)

    @rule(holder=HOLDERS)
    def stays_though_asked(self, holder):
        self.arbiter.stays(holder, self.now)
        if self.use.get(holder) is Use.LEAVING:
            self.use[holder], self.used[holder] = Use.BUSY, self.now

    # What the arbiter does

    @rule()
    def the_driver_is_asked(self):
        self.measured = self.free, self.now

    @rule()
    def steps_with_a_measurement_that_may_be_old(self):
        self.step()

    @rule()
    def steps_without_an_answer_of_the_driver(self):
        answer = self.arbiter.step(None, self.now, self.now)
        assert isinstance(answer, Wait | Refused)
        self.follow(answer)

    def step(self):
        free, measured = self.measured or (self.free, self.now)
        answer = self.arbiter.step(free, measured, self.now)
        self.follow(answer)
        return answer

    def follow(self, answer):
        match answer:
            case Granted(ticket):
                assert ticket == min(
                    self.queue, key=lambda other: (other.asked - other.priority * HEAD_START_S, other.number)
                )
                self.queue.remove(ticket)
                self.granted[ticket.holder], self.use[ticket.holder] = ticket.size, Use.LOADING
                assert self.foreign + sum(self.ghosts) + sum(self.granted.values()) <= TOTAL, "over-granted"
            case Evict(holders):
                assert holders
                assert {self.use[holder] for holder in holders} == {Use.IDLE}
                kept = [
                    self.used[holder] for holder, use in self.use.items() if use is Use.IDLE and holder not in holders
                ]
                assert all(self.used[holder] <= used for holder in holders for used in kept)
                self.use |= dict.fromkeys(holders, Use.LEAVING)
            case Refused(ticket, fault):
                self.queue.remove(ticket)
                assert fault.code == GPU_MEMORY_SHORT.code or self.now >= ticket.until
                for holder in (ticket.holder, *self.granted):
                    name = NAMES.get(holder)
                    assert (name.en if name else holder) in fault.message.en
                    assert (name.ko if name else holder) in fault.message.ko

    @invariant()
    def both_agree_on_who_has_what(self):
        assert {lease.holder: (lease.size, lease.use) for lease in self.arbiter.leases} == {
            holder: (size, self.use[holder]) for holder, size in self.granted.items()
        }
        assert sorted(ticket.number for ticket in self.arbiter.waiting) == [ticket.number for ticket in self.queue]

    def teardown(self):
        """Once everybody rests and the driver keeps up, everybody is served, and nothing is left at the end."""
        patient = [ticket.number for ticket in self.queue if ticket.until >= FOR_EVER and ticket.size <= TOTAL]
        self.foreign, self.measured = 0, None
        served = []
        for _ in range(10 * (len(self.queue) + len(self.granted)) + 10):
            for holder in [*self.use]:
                self.loads(holder)
                self.rests(holder)
                self.leaves_if_asked(holder)
            self.ghosts.clear()
            answer = self.step()
            if isinstance(answer, Granted):
                served.append(answer.ticket.number)
            elif isinstance(answer, Wait):
                self.now += SETTLE_S
        assert self.queue == []
        assert set(patient) <= set(served)
        for holder in [*self.granted]:
            self.dies(holder)
        self.both_agree_on_who_has_what()
        assert self.arbiter.leases == self.arbiter.waiting == ()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def granted(arbiter, holder, size, now=0.0):
    arbiter.ask(holder, size, now)
    assert isinstance(arbiter.step(TOTAL, now, now), Granted)
    arbiter.loaded(holder, now)


def test_a_measurement_from_before_the_load_does_not_grant_the_memory_twice():
    arbiter = Arbiter()
    arbiter.ask("llm", 80, 0.0)
    assert isinstance(arbiter.step(100, 0.0, 0.0), Granted)
    arbiter.loaded("llm", 2.0)
    arbiter.begin("llm", 2.0)
    arbiter.ask("stt", 30, 2.0)
    assert arbiter.step(100, 1.0, 3.0) == Wait()
    assert isinstance(arbiter.step(40, 3.0, 3.0), Granted)


def test_a_person_goes_before_background_work_but_not_for_ever():
    arbiter = Arbiter()
    background = arbiter.ask("image", 50, 0.0)
    soon = arbiter.ask("llm", 50, HEAD_START_S - 1, priority=1)
    late = arbiter.ask("stt", 50, HEAD_START_S + 1, priority=1)
    assert arbiter.waiting == (soon, background, late)


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.data())
def test_those_used_longest_ago_leave_and_no_more_than_must(sizes, data):
    arbiter = Arbiter()
    for number, size in enumerate(sizes):
        arbiter.ask(str(number), size, 0.0)
        assert isinstance(arbiter.step(1000, 0.0, 0.0), Granted)
        arbiter.loaded(str(number), 0.0)
    order = data.draw(st.permutations([*range(len(sizes))]))
    for moment, number in enumerate(order, 1):
        arbiter.begin(str(number), moment)
        arbiter.rest(str(number), moment)
    wanted = data.draw(st.integers(1, sum(sizes)))
    arbiter.ask("llm", wanted, 10.0)
    answer = arbiter.step(0, 10.0, 10.0)
    assert isinstance(answer, Evict)
    assert list(answer.holders) == [str(number) for number in order[: len(answer.holders)]]
    freed = [sizes[int(holder)] for holder in answer.holders]
    assert sum(freed) >= wanted > sum(freed[:-1])


def test_nobody_has_to_leave_where_that_would_not_be_enough():
    arbiter = Arbiter()
    granted(arbiter, "stt", 20)
    arbiter.ask("llm", 90, 1.0)
    answer = arbiter.step(60, 1.0, 1.0)
    assert isinstance(answer, Refused)
    assert [lease.use for lease in arbiter.leases] == [Use.IDLE]


def test_what_an_ended_process_held_is_waited_for_before_others_have_to_leave():
    arbiter = Arbiter()
    granted(arbiter, "stt", 40)
    granted(arbiter, "image", 50)
    arbiter.release("image", 1.0)
    arbiter.ask("llm", 55, 1.0)
    assert arbiter.step(10, 1.0, 1.0) == Wait()
    assert arbiter.step(10, 5.5, 5.5) == Wait()
    assert arbiter.step(10, 6.0, 6.0) != Wait(), "the driver did not give it back"


def test_a_refusal_names_who_holds_what_in_both_languages():
    arbiter = Arbiter()
    arbiter.ask("llm", 3_100_000_000, 0.0)
    arbiter.step(4_000_000_000, 0.0, 0.0)
    arbiter.loaded("llm", 0.0)
    arbiter.begin("llm", 0.0)
    arbiter.ask("image", 2_000_000_000, 1.0, patience_s=5.0)
    assert arbiter.step(900_000_000, 2.0, 2.0) == Wait()
    answer = arbiter.step(900_000_000, 6.0, 6.0)
    assert GPU_MEMORY_HELD.code == answer.fault.code
    assert answer.fault.message.en.endswith(
        "for the image model: it needs 2.0 GB, 0.9 GB are free; the language model holds 3.1 GB and is in use."
    )
    assert answer.fault.message.ko.endswith(
        "이미지 모델에 2.0 GB 필요, 남은 메모리 0.9 GB. 언어 모델 3.1 GB(사용 중) 차지하고 있습니다."
    )


def test_a_request_for_nothing_is_a_mistake():
    with pytest.raises(ValueError, match="no request"):
        Arbiter().ask("llm", 0, 0.0)
