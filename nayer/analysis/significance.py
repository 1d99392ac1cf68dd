"""The difference between arms in one sentence, with its confidence interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

CONFIDENCE = 0.95  # that all the intervals of a sentence are right at the same time
NAMED = 3  # arms that a sentence compares by name if there are many; naming one more is as short as a count


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the first of two arms is above the second, over the seeds that both have."""

    mean: float
    low: float  # of the interval; −∞ with one seed
    high: float
    seeds: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def difference(first: Sequence[float], second: Sequence[float], *, comparisons: int = 1) -> Difference:
    """Paired by seed: the mean and its interval by Student's t, widened for several `comparisons` (Bonferroni).

    Both: (n,) in the same order of seeds, n ≥ 1.
    """
    apart = [a - b for a, b in zip(first, second, strict=True)]
    mean, n = fmean(apart), len(apart)
    if n == 1:
        return Difference(mean, -math.inf, math.inf, 1)
    from scipy.stats import t  # a third of a second at its first import

    quantile = float(t.ppf(1 - (1 - CONFIDENCE) / (2 * comparisons), n - 1))
    half = quantile * stdev(apart) / math.sqrt(n)
    return Difference(mean, mean - half, mean + half, n)


def verdict(
    results: Mapping[str, Mapping[int, float]], *, what: str, unit: str, digits: int = 1, ended: bool = True
) -> str:
    """One sentence on `results`, arm → seed → number; higher is more. A second sentence names arms without a number.

    `what` is the measured quantity, for example "accuracy"; `unit` is the unit of its differences, for example
    "points". The arm with the highest mean is compared with each of the others, over the seeds that all of them have.
    The results select this arm, so the intervals are wide enough to compare every pair. If runs have not `ended`, the
    sentence gives their present numbers.
    """
    arms = {arm: values for arm, values in results.items() if values}
    if len(arms) < 2:
        return "Fewer than two arms have a result, so there is no comparison yet."
    seeds = sorted(set.intersection(*(set(values) for values in arms.values())))
    if not seeds:
        return "No seed has finished in every arm yet, so there is no comparison."
    rows = {arm: [values[seed] for seed in seeds] for arm, values in arms.items()}
    lacking = [arm for arm in results if arm not in arms]
    left_out = f" Without a result: {_list(lacking)}." if lacking else ""
    over = _over(seeds) if ended else f"So far, {_over(seeds).lower()}"
    spread = max(max(column) - min(column) for column in zip(*rows.values(), strict=True))
    if spread < 0.5 * 10**-digits:
        return f"{over} all arms {'ended with' if ended else 'have'} the same {what}{_caveat(seeds)}.{left_out}"
    best = max(rows, key=lambda arm: fmean(rows[arm]))
    pairs = len(rows) * (len(rows) - 1) // 2
    differences = {arm: difference(rows[best], rows[arm], comparisons=pairs) for arm in rows if arm != best}
    top, apart = f"{fmean(rows[best]):.{digits}f}", _list(_parts(differences, unit, digits))
    ending = f"{_caveat(seeds, differences)}.{left_out}"
    return f"{over} {best} {'ended with' if ended else 'has'} the highest {what} ({top}): {apart}{ending}"


def _parts(differences: Mapping[str, Difference], unit: str, digits: int) -> list[str]:
    """How far above each of the others; of many, above each of the nearest and then above the rest."""
    named = dict(differences)
    if len(named) > NAMED + 1:
        named = dict(sorted(named.items(), key=lambda item: item[1].mean)[:NAMED])
    parts = [f"{_apart(one, unit, digits)} {arm}{_interval(one, digits)}" for arm, one in named.items()]
    rest = [one for arm, one in differences.items() if arm not in named]
    if rest:
        significant = sum(one.excludes_zero for one in rest)
        surely = (
            ""
            if rest[0].seeds == 1
            else f" ({significant if significant < len(rest) else 'all'} of these differences are significant)"
        )
        parts.append(f"at least {min(one.mean for one in rest):.{digits}f} {unit} above {len(rest)} others{surely}")
    return parts


def _over(seeds: Sequence[int]) -> str:
    return f"With seed {seeds[0]}" if len(seeds) == 1 else f"Over {len(seeds)} seeds"


def _apart(one: Difference, unit: str, digits: int) -> str:
    return f"{one.mean:.{digits}f} {unit} above"


def _interval(one: Difference, digits: int) -> str:
    if one.seeds == 1:
        return ""
    low, high = (f"{bound:.{digits}f}".replace("-", "−") for bound in (one.low, one.high))
    return f" ({low} to {high}{'' if one.excludes_zero else ', not significant'})"


def _caveat(seeds: Sequence[int], differences: Mapping[str, Difference] | None = None) -> str:
    if len(seeds) == 1:
        return "; one seed proves nothing"
    if differences is None:
        return ""
    together = " together" if len(differences) > 1 else ""
    return f"; in brackets, intervals that hold{together} with {CONFIDENCE:.0%} confidence".replace("%", " %")


def _list(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
