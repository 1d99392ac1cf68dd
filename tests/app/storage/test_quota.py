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
    runs=st.lists(
        st.tuples(st.sampled_from(["running", "finished"]), st.integers(0, 4), st.sampled_from("ab")), max_size=10
    ),
    most=st.integers(0, 10),
    gigabytes=st.integers(0, 20),
)
def test_the_oldest_of_whoever_has_the_most_go_and_no_more_than_must(
    runs: list[tuple[str, int, str]], most: int, gigabytes: int
) -> None:
    def fits(numbers: list[int]) -> bool:
        return len(numbers) <= most and sum(runs[number][1] for number in numbers) <= gigabytes

    def first_to_go(numbers: list[int]) -> int:
        """Of those that ended, the oldest of the address with the most runs, or with the most bytes and then runs."""
        mine = {lane: [number for number in numbers if runs[number][2] == lane] for lane in "ab"}
        weight = {lane: (sum(runs[number][1] for number in of), len(of)) for lane, of in mine.items() if of}
        if len(left) > most:
            weight = {lane: (len(of), 0) for lane, of in mine.items() if of}
        heaviest = max(weight.values())
        return min(mine[lane][0] for lane in weight if weight[lane] == heaviest)

    left, ended = list(range(len(runs))), [number for number, run in enumerate(runs) if run[0] != "running"]
    while not fits(left) and ended:
        gone = first_to_go(ended)
        left.remove(gone)
        ended.remove(gone)
    connection, _ = migrations.opened(Path(":memory:"), network=False)
    with closing(connection):
        for number, (state, size, lane) in enumerate(runs):
            connection.execute(
                "INSERT INTO run VALUES (?, ?, 'hash', '{}', ?, '', '', '', 0, ?)", (number, str(number), state, lane)
            )
            connection.execute("INSERT INTO file VALUES (?, 'x', ?, '', ?, 0)", (number, str(number), size * GIGABYTE))
        names, more = Quota(most, gigabytes * GIGABYTE + GIGABYTE // 2).prune(connection)
        assert not more
        assert [number for (number,) in connection.execute("SELECT number FROM run ORDER BY number")] == left
        assert names == {str(number) for number in range(len(runs)) if number not in left}
        assert connection.execute("SELECT count(*) FROM file").fetchone() == (len(left),)


def test_an_address_that_starts_run_after_run_removes_nobody_elses(tmp_path: Path) -> None:
    for runs, megabytes in ((20, 1000.0), (500, 1.5)):
        folder = tmp_path / str(runs)
        store = Store(folder, runs=runs, megabytes=megabytes)
        for number in range(45):
            name, address = (f"mine {number}", "10.0.0.1") if number < 5 else (f"theirs {number}", "10.0.0.2")
            store.begin(name, f"owner {number}", "{}", address)
            store.keep(name, "student-0", bytes(50_000), 0)
            store.end(name, "finished")
        store.begin("last", "hash", "{}", "10.0.0.2")
        assert store.flush(30)
        assert all(store.find(f"mine {number}") for number in range(5))
        assert not store.find("theirs 5")
        assert store.find("theirs 44")
        store.close()
        assert b"10.0.0" not in b"".join(path.read_bytes() for path in folder.glob("runs.sqlite3*"))


def test_what_is_kept_is_runs_and_the_bytes_of_files_and_used_pages() -> None:
    connection, _ = migrations.opened(Path(":memory:"), network=False)
    with closing(connection):
        runs, files, empty = connection.execute(KEPT).fetchone()
        assert (runs, files) == (0, 0)
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(
            "INSERT INTO run VALUES (1, 'one', 'hash', ?, 'finished', '', '', '', 0, '')", ("x" * 10 * page,)
        )
        connection.execute("INSERT INTO file VALUES (1, 'x', 'x', '', 123, 0)")
        runs, files, filled = connection.execute(KEPT).fetchone()
        assert (runs, files) == (1, 123)
        assert empty + 10 * page <= filled <= empty + 12 * page
        connection.execute("DELETE FROM run")
        assert connection.execute(KEPT).fetchone() == (0, 0, empty)


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
