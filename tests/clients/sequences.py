"""Sequences of calls, drawn from a seed: by theme, so that what a call needs is likely to be there.

A theme is what is set up first, and the calls that are drawn after it. What each server has its own identifier of is named
by a `Found`, and looked up there when the call is made.
"""

import random

from sequences_groups import ATTACHED, GROUPS, HOOKS, INSTANCES, LAUNCHES, POLICIES
from sequences_machines import MACHINES, NETWORK
from sequences_metrics import ALARMS, METRICS

# What every theme is made of: its set-up, and its calls with their weights.
THEMES = [LAUNCHES, GROUPS, INSTANCES, POLICIES, HOOKS, ATTACHED, METRICS, ALARMS, MACHINES, NETWORK]
EACH, CALLS = 8, 40


def seeds():
    return range(EACH * len(THEMES))


def drawn(seed, clock):
    """Calls of one sequence: service, operation as boto3 names it, arguments. `clock` tells the time.

    Two of three begin with what the theme sets up, so that what follows finds something.
    """
    draw = random.Random(seed)
    set_up, calls = THEMES[seed % len(THEMES)]
    if seed // len(THEMES) % 3 != 2:
        yield from set_up(draw)
    for _ in range(CALLS):
        offered = list(calls(draw, clock()))
        [(_, service, operation, arguments)] = draw.choices(offered, [weight for weight, *_ in offered])
        yield service, operation, arguments


def operations():
    """Every operation that some theme may draw."""
    draw, now = random.Random(0), 1_767_571_200
    return {(service, operation) for _, calls in THEMES for _, service, operation, _ in calls(draw, now)}
