"""From single runs to a row: runs of both sides alternate, so that what else the machine does hits
both, and the ratio is taken run by run before its median."""

import math
import os
import statistics


def load():
    return round(os.getloadavg()[0], 2)


def rounded(value):
    if value == 0:
        return 0
    digits = 3 - math.ceil(math.log10(abs(value)))
    return round(value, max(digits, 0))


def spread(values):
    return {"median": rounded(statistics.median(values)), "min": rounded(min(values)),
            "max": rounded(max(values)), "runs": len(values)}


def percentile(values, share):
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def alternate(rounds, **sides):
    """Calls each side once a round; returns their lists of results by name."""
    results = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            results[name].append(run())
    return results


def verdict(value, at_least=None, at_most=None):
    if at_least is not None:
        return {"budget": f">= {at_least}", "met": value >= at_least}
    if at_most is not None:
        return {"budget": f"<= {at_most}", "met": value <= at_most}
    return {"budget": None, "met": None}


def compared(what, unit, ours, yardstick, **budget):
    """A row of ours against a yardstick: lists of the same length, run by run. `ratio` is ours /
    yardstick."""
    ratio = spread([a / b for a, b in zip(ours, yardstick)])
    return {"what": what, "unit": unit, "ours": spread(ours), "yardstick": spread(yardstick),
            "ratio": ratio, **verdict(ratio["median"], **budget)}


def absolute(what, unit, values, **budget):
    """A row that has a limit instead of a yardstick; the median is judged."""
    ours = spread(values)
    return {"what": what, "unit": unit, "ours": ours, "yardstick": None, "ratio": None,
            **verdict(ours["median"], **budget)}
