"""What happens to which calls: rules, and the calls that they have met."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


class Moment(Enum):
    """When a rule bites."""

    BEFORE = auto()
    """Before the server hears of the call."""
    AFTER = auto()
    """When the server has done it, and the client has not heard."""
    FLOWING = auto()
    """While a watch runs, at each piece of news."""


class Fate(Enum):
    """What a rule does."""

    PASS = auto()
    """Nothing, but its `then` is called."""
    HANG = auto()
    """Nothing is said any more; when the rule is lifted the connection breaks."""
    BREAK = auto()
    """The connection is reset."""
    WAIT = auto()
    """It goes on after some seconds, also when the client has given up."""
    REFUSE = auto()
    """The server seems to be too busy: 429, with Retry-After."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a pod."""

    pod: str
    """Whose; empty for a client without a pod's token."""
    method: str
    path: str
    query: Mapping[str, str]
    body: str
    moment: float
    """When it came, in seconds since 1970."""

    @property
    def watches(self) -> bool:
        """Whether it opens a watch."""
        return self.query.get("watch") in ("true", "1")

    @property
    def writes(self) -> bool:
        """Whether it changes something: a server-side dry-run does not."""
        return self.method not in ("GET", "HEAD") and "dryRun" not in self.query

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(eq=False)
class Rule:
    """What happens to calls that match; without a restriction to all."""

    moment: Moment
    fate: Fate
    pod: str = ""
    """Of this pod only."""
    method: str = ""
    """By this method only."""
    path: str = ""
    """A regular expression that is searched in the path."""
    text: str = ""
    """Something that the body has to hold."""
    watches: bool | None = None
    """Watches only, or all but watches."""
    wanted: Callable[[Call], bool] = lambda _: True
    """Any other restriction."""
    first: int = 1
    """The first so many matching calls but one go free."""
    times: int = 1_000_000
    """How many calls it bites."""
    seconds: float = 1.0
    """For WAIT and REFUSE."""
    then: Callable[[Call], object] | None = None
    """Called when it bites, before its fate is met; everything else waits meanwhile."""
    matched: int = 0
    hits: list[Call] = field(default_factory=list)
    """The calls that it has bitten."""
    lifted: asyncio.Event = field(default_factory=asyncio.Event)

    def bites(self, call: Call, moment: Moment) -> bool:
        """Whether this call is to suffer now; counts."""
        if moment is not self.moment or not self._matches(call):
            return False
        self.matched += 1
        return self.first <= self.matched < self.first + self.times

    def _matches(self, call: Call) -> bool:
        return (
            self.pod in ("", call.pod)
            and self.method in ("", call.method)
            and self.watches in (None, call.watches)
            and re.search(self.path, call.path) is not None
            and self.text in call.body
            and self.wanted(call)
        )
