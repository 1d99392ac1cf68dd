"""Class codes: a short code with which a class sees the run that its teacher shows, one run after another."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.fairness.fair_cache import FairCache
from app.middleware.client_address import address, answering
from app.runs.manager import RunManager
from app.runs.registry import NoSuchRun, TooManyGuesses
from app.support.miss_limiter import MissLimiter
from nayer.errors import ConfigError
from nayer.runs.session import ENDED

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without I, L, O, 0 and 1, which look like others
LENGTH = 6  # 31⁶ ≈ 9·10⁸ codes, and an address has 120 tries at once and then two a second
ADDRESSES = 100  # of a class; at them its code works after any number of wrong codes
GRACE_SECONDS = 900.0  # after the end of the run: late pupils see the result, and the teacher can start the next run
LONGEST_SECONDS = 4 * 3600.0  # since the teacher last showed a run
CODES = 500  # at the same time; with more, the address that has the most loses one
PLACES = re.compile(r"live|lab|lesson-[1-9]")


class NoSuchCode(NoSuchRun):
    """No class has this code."""


@dataclass(slots=True)
class ShownRun:
    """The run that a class sees. The class cannot control it."""

    run: str
    place: str  # live, lab or lesson-N
    since: float  # when the teacher showed it
    addresses: frozenset[str]  # where it was shown, and where pupils joined
    ended: float | None = None  # when somebody first saw that the run had ended


class ClassCodes:
    """The class codes of all teachers. Any thread may use it."""

    def __init__(self, registry: RunManager, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._clock = clock
        self._lock = threading.Lock()
        self._shown: FairCache[str, ShownRun] = FairCache(CODES)
        self._codes: FairCache[str, tuple[str, float]] = FairCache(CODES)  # hash of the owner -> their code, since when
        self._guesses = MissLimiter(clock)

    def show(self, run: str, token: str, place: str) -> str:
        """The code of the run's owner, which leads to this run from now on. Raises NotYours, NoSuchRun, ConfigError."""
        if not PLACES.fullmatch(place):
            raise ConfigError(f"place must be live, lab or lesson-1 to lesson-9; {place[:40]!r} was given.")
        owner = self._registry.owned(run, token).owner_hash
        with self._lock:
            code, since = self._codes.get(owner) or ("", 0.0)
            if not code or self._clock() - since > LONGEST_SECONDS:
                code = self._new()
            now = self._clock()
            self._codes.put(owner, (code, now), address())
            before = self._shown.get(code)
            known: frozenset[str] = frozenset() if before is None else before.addresses
            self._shown.put(code, ShownRun(run, place, now, known | {address()}), address())
            return code

    def end(self, run: str, token: str) -> None:
        """Removes the code of the run's owner."""
        owner = self._registry.owned(run, token).owner_hash
        with self._lock:
            code, _ = self._codes.pop(owner) or ("", 0.0)
            self._shown.pop(code)

    def find(self, typed: str) -> ShownRun:
        """The run that the class with this code sees.

        Raises NoSuchCode, and TooManyGuesses after many wrong codes from one address. A school has one address: wrong
        codes of one pupil do not keep the others from the code of their own class.
        """
        guesser = address()
        code = re.sub(r"[\s-]", "", typed).upper()
        with self._lock:
            shown = self._shown.get(code)
            if shown is not None and self._is_over(shown):
                self._shown.pop(code)
                shown = None
            known = shown is not None and guesser in shown.addresses
            if guesser and not known and not self._guesses.allowed(guesser):
                raise TooManyGuesses("none of the many codes that you tried exists; try again in a minute.")
            if shown is not None:
                if len(shown.addresses) < ADDRESSES:
                    shown.addresses |= {guesser}
                return shown
        self._guesses.missed(guesser)
        raise NoSuchCode(f"code={typed[:12]!r} belongs to no class now; ask for the code again.")

    def _is_over(self, shown: ShownRun) -> bool:
        if self._clock() - shown.since > LONGEST_SECONDS:
            return True
        try:
            with answering(""):  # a class does not end because somebody has named many runs that do not exist
                state = self._registry.state(shown.run)
        except NoSuchRun:
            return True
        if state not in ENDED:
            shown.ended = None
            return False
        shown.ended = self._clock() if shown.ended is None else shown.ended
        return self._clock() - shown.ended > GRACE_SECONDS

    def _new(self) -> str:
        while True:
            code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            if self._shown.get(code) is None:
                return code
