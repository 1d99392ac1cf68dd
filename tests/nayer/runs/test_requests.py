"""A question is answered once or refused once, whoever asks and whoever answers, and only while the source rests."""

import threading

import pytest

from nayer.errors import ConfigError
from nayer.runs.requests import Question, RequestQueue


@pytest.fixture
def questions():
    questions = RequestQueue(threading.Condition())
    questions.source = "source"
    return questions


def test_those_that_wait_are_answered_in_their_order_and_do_not_wait_again(questions):
    heard = []
    for number in range(5):
        questions.put(Question(lambda source, number=number: heard.append((number, source))))
    assert questions.waiting
    questions.answer_waiting()
    assert not questions.waiting
    questions.answer_waiting()
    assert heard == [(number, "source") for number in range(5)]


def test_one_that_fails_leaves_the_next_to_be_answered(questions):
    failing, sound = Question(lambda source: 1 / 0), Question(len)
    for question in (failing, sound):
        questions.put(question)
    questions.answer_waiting()
    with pytest.raises(ZeroDivisionError):
        failing.future.result(0)
    assert sound.future.result(0) == len("source")


def test_without_a_source_there_is_one_sentence_and_no_call(questions):
    questions.source = None
    called = []
    question = Question(called.append)
    questions.answer(question)
    with pytest.raises(ConfigError, match="no longer in memory"):
        question.future.result(0)
    assert not called


def test_nothing_is_answered_while_the_source_is_at_work(questions):
    question = Question(lambda source: questions.source_lock.locked())
    with questions.source_lock:
        asking = threading.Thread(target=questions.answer, args=[question])
        asking.start()
        asking.join(0.05)
        assert not question.future.done()
    assert question.future.result(10)  # and the source does not go on meanwhile
    asking.join(10)


@pytest.mark.parametrize("act", ["put", "take"])
def test_while_changed_is_held_none_begins_or_ceases_to_wait(act):
    changed = threading.Condition()
    questions = RequestQueue(changed)
    questions.put(Question(len))
    acting = threading.Thread(target=getattr(questions, act), args=[Question(len)] if act == "put" else [])
    with changed:
        acting.start()
        acting.join(0.05)
        assert acting.is_alive()
        assert len(questions.take()) == 1
    acting.join(10)
    assert questions.waiting == (act == "put")


def test_none_is_lost_or_answered_twice_whatever_the_threads_do(questions):
    """Four ask, two answer, and one takes some away, as for a run that is given up: each question has one end."""
    asked, calls, asking = [], [], threading.Barrier(7)
    done = threading.Event()

    def ask(who):
        asking.wait(10)
        for number in range(200):
            question = Question(lambda source, key=(who, number): calls.append(key) or key)
            asked.append(((who, number), question))
            questions.put(question)

    def answer():
        asking.wait(10)
        while not done.is_set() or questions.waiting:
            questions.answer_waiting()

    def give_up():
        asking.wait(10)
        while not done.is_set():
            for question in questions.take():
                question.refuse()

    askers = [threading.Thread(target=ask, args=[who]) for who in range(4)]
    others = [threading.Thread(target=target) for target in (answer, answer, give_up)]
    for thread in [*askers, *others]:
        thread.start()
    for thread in askers:
        thread.join(20)
    done.set()
    for thread in others:
        thread.join(20)
    ends = {key: question.future.exception(0) or question.future.result(0) for key, question in asked}
    answered = [key for key, end in ends.items() if end == key]
    assert len(ends) == 800
    assert sorted(calls) == sorted(answered)
    assert all(isinstance(ends[key], ConfigError) for key in ends.keys() - set(answered))
