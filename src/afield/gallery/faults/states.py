"""The faults: what each does to the operations of a node while it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NORMAL: Final = "normal"
EVERY: Final = "every operation"


@dataclass(frozen=True)
class Effect:
    """What a fault in full strength does to one operation.

    Args:
        traffic: how many times the attempts.
        failing: part of the attempts that end as the fault's failures do.
        slower: how many times the mean time.
        spread: how many times the deviation of the time, beside the mean.
        resent: messages sent again, a message.
    """

    traffic: float = 1.0
    failing: float = 0.0
    slower: float = 1.0
    spread: float = 1.0
    resent: float = 0.0


@dataclass(frozen=True)
class Fault:
    """A fault.

    Args:
        effects: operation, or EVERY for those that are not named, -> what happens to it.
        failures: how failing attempts end: outcome -> part.
        ceiling: the most traffic that passes, as a part of the traffic when it began; None for no limit.
    """

    effects: Mapping[str, Effect]
    failures: Mapping[str, float]
    ceiling: float | None = None


FAULTS: Final[Mapping[str, Fault]] = {
    "subscriber_server_link_down": Fault(
        {
            "register": Effect(traffic=1.6, failing=0.9, slower=6, spread=2, resent=0.7),
            "reregister": Effect(traffic=1.3, failing=0.85, slower=6, spread=2, resent=0.7),
            "invite_terminating": Effect(failing=0.4, slower=2.5, spread=1.6, resent=0.2),
            "message": Effect(failing=0.2, slower=1.8, spread=1.5),
            "subscribe": Effect(failing=0.15, slower=1.5),
        },
        {"timeout": 0.5, "5xx": 0.45, "4xx": 0.05},
    ),
    "all_traffic_blocked": Fault({EVERY: Effect(traffic=0.03, failing=0.95, resent=1.5)}, {"timeout": 1.0}),
    "link_at_capacity": Fault(
        {EVERY: Effect(failing=0.025, slower=1.7, spread=1.2, resent=0.12)}, {"timeout": 0.8, "5xx": 0.2}, ceiling=0.75
    ),
    "registration_storm": Fault(
        {
            "register": Effect(traffic=6, failing=0.12, slower=1.7, spread=1.4),
            "reregister": Effect(traffic=0.5, slower=1.4),
            "subscribe": Effect(traffic=3, slower=1.3),
            "notify": Effect(traffic=3, slower=1.2),
        },
        {"4xx": 0.5, "5xx": 0.5},
    ),
    "dns_slow": Fault(
        {
            "invite_originating": Effect(failing=0.05, slower=2.6, spread=2.5, resent=0.1),
            "message": Effect(failing=0.04, slower=3, spread=2.5, resent=0.1),
            "options": Effect(slower=2.5, spread=2),
            "cancel": Effect(traffic=1.5),
        },
        {"timeout": 0.9, "5xx": 0.1},
    ),
    "cpu_overload": Fault({EVERY: Effect(failing=0.08, slower=2.3, spread=1.5)}, {"5xx": 1.0}),
    "card_failed": Fault({EVERY: Effect(traffic=1.1, failing=0.25, resent=0.4)}, {"timeout": 1.0}),
    "flood": Fault(
        {
            "options": Effect(traffic=14, failing=0.6),
            "message": Effect(traffic=3, failing=0.4),
            EVERY: Effect(slower=1.25, spread=1.1),
        },
        {"4xx": 0.9, "6xx": 0.1},
    ),
    "policy_server_failing": Fault(
        {
            "invite_originating": Effect(traffic=1.2, failing=0.5, slower=1.8),
            "invite_terminating": Effect(traffic=1.2, failing=0.5, slower=1.8),
            "update": Effect(traffic=0.7, failing=0.4),
            "bye": Effect(traffic=0.6),
        },
        {"5xx": 0.6, "4xx": 0.4},
    ),
    "certificate_expired": Fault(
        {
            "register": Effect(traffic=2.2, failing=0.85, slower=0.6),
            "reregister": Effect(traffic=0.8, failing=0.5, slower=0.7),
            "subscribe": Effect(traffic=0.7),
            "invite_originating": Effect(traffic=0.85),
        },
        {"4xx": 0.9, "6xx": 0.1},
    ),
    "clock_drift": Fault(
        {
            "reregister": Effect(traffic=2.2, failing=0.1),
            "subscribe": Effect(traffic=1.8, failing=0.1),
            "notify": Effect(traffic=1.6),
            "deregister": Effect(traffic=0.6),
        },
        {"4xx": 1.0},
    ),
}
"""Name of a state -> what goes wrong in it."""

UNSEEN: Final = ("policy_server_failing", "certificate_expired", "clock_drift")
"""Faults that the files for training leave out, to be taught later."""

TRAINED: Final = tuple(name for name in FAULTS if name not in UNSEEN)
"""Faults of the files for training."""
