"""Laws of what goes: the oldest that ended, no more of them than must, and of those that go on none."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.storage import migrations
from app.storage.quota import AT_ONCE, KEPT, Quota
from app.storage.run_store import Store
from tests.support.serving import wait_until

GIGABYTE = 10**9  # a file's unit here: beside it the database's own pages weigh nothing


@given(
    runs=st.lists(st.tuples(st.sampled_from(["running", "finished"]), st.integers(0, 4)), max_size=10),
    most=st.integers(0, 10),
    gigabytes=st.integers(0, 20),
)
def test_the_oldest_that_ended_go_and_no_more_than_must(runs: list[tuple[str, int]], most: int, gigabytes: int) -> None:
    def fits(numbers: list[int]) -> bool:
        return len(numbers) <= most and sum(runs[number][1] for number in numbers) <= gigabytes

    connection, _ = migrations.opened(Path(":memory:"), network=False)
    with closing(connection):
        for number, (state, size) in enumerate(runs):
            connection.execute(
                "INSERT INTO run VALUES (?, ?, 'hash', '{}', ?, '', '', '', 0)", (number, str(number), state)
            )
            connection.execute("INSERT INTO file VALUES (?, 'x', ?, '', ?, 0)", (number, str(number), size * GIGABYTE))
        names, more = Quota(most, gigabytes * GIGABYTE + GIGABYTE // 2).prune(connection)
        assert not more
        left = [number for (number,) in connection.execute("SELECT number FROM run ORDER BY number")]
        gone = [number for number in range(len(runs)) if number not in left]
        ended = [number for number, (state, _) in enumerate(runs) if state != "running"]
        assert gone == ended[: len(gone)]
        assert names == {str(number) for number in gone}
        assert fits(left) or gone == ended
        assert not gone or not fits([*left, gone[-1]])
        assert connection.execute("SELECT count(*) FROM file").fetchone() == (len(left),)


def test_what_is_kept_is_runs_and_the_bytes_of_files_and_used_pages() -> None:
    connection, _ = migrations.opened(Path(":memory:"), network=False)
    with closing(connection):
        runs, empty = connection.execute(KEPT).fetchone()
        assert runs == 0
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(
            "INSERT INTO run VALUES (1, 'one', 'hash', ?, 'finished', '', '', '', 0)", ("x" * 10 * page,)
        )
        connection.execute("INSERT INTO file VALUES (1, 'x', 'x', '', 123, 0)")
        runs, filled = connection.execute(KEPT).fetchone()
        assert runs == 1
        assert empty + 10 * page + 123 <= filled <= empty + 12 * page + 123
        connection.execute("DELETE FROM run")
        assert connection.execute(KEPT).fetchone() == (0, empty)


def test_of_a_history_that_is_far_too_large_a_bounded_number_of_runs_goes_at_a_time_and_all_go(tmp_path: Path) -> None:
    many = 3 * AT_ONCE
    store = Store(tmp_path, runs=many)
    for number in range(many):
        store.begin(f"run {number}", "hash", "{}")
        store.end(f"run {number}", "finished")
    assert store.flush(30)
    store.close()
    connection, _ = migrations.opened(tmp_path / migrations.NAME, network=False)
    with closing(connection):
        connection.execute("BEGIN")
        assert Quota(10, GIGABYTE).prune(connection)[1]
        assert connection.execute("SELECT count(*) FROM run").fetchone() == (many - AT_ONCE,)
        connection.execute("ROLLBACK")
    store = Store(tmp_path, runs=10)
    store.begin("last", "hash", "{}")
    wait_until(lambda: store.flush(1) and store.size()[0] == 10)
    assert store.find("last")
    store.close()


def test_a_run_that_alone_exceeds_the_quota_is_kept_while_it_goes_on_and_leaves_no_file(tmp_path: Path) -> None:
    store = Store(tmp_path, megabytes=0.2)
    store.begin("one", "hash", "{}")
    store.keep("one", "checkpoint", bytes(500_000), 1)
    assert store.flush(10)
    assert store.file("one", "checkpoint")
    store.end("one", "finished")
    store.keep("one", "student-0", bytes(500_000), 0)
    store.begin("two", "hash", "{}")
    assert store.flush(10)
    assert not store.find("one")
    assert store.find("two")
    assert list((tmp_path / "files").iterdir()) == []
    store.close()
