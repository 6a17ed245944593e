"""What each object depends on, so that an event wakes only whom it may concern."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

Key = tuple[str, str]
"""Namespace and name of a GoLive."""


@dataclass(frozen=True, slots=True)
class Interest:
    """What one object was found to depend on."""

    engine: str = ""
    """Name of its Deployment; empty where nothing but the GoLive itself was looked at."""
    selector: tuple[tuple[str, str], ...] = ()
    """Labels of the engine's pods; empty selects every pod of the namespace."""
    mounted: frozenset[str] = frozenset()
    """ConfigMaps behind its template."""

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether a pod with these labels may be the engine's."""
        return bool(self.engine) and all(labels.get(key) == value for key, value in self.selector)


class Interests:
    """Interests by namespace. What has not been looked at yet is concerned by everything."""

    def __init__(self) -> None:
        self._by_namespace: dict[str, dict[Key, Interest | None]] = {}

    def expect(self, key: Key) -> None:
        """An object has been heard of."""
        self._by_namespace.setdefault(key[0], {}).setdefault(key, None)

    def know(self, key: Key, interest: Interest) -> None:
        """An object has been looked at."""
        self._by_namespace.setdefault(key[0], {})[key] = interest

    def forget(self, key: Key) -> None:
        """An object is gone."""
        keys = self._by_namespace.get(key[0], {})
        keys.pop(key, None)
        if not keys:
            self._by_namespace.pop(key[0], None)

    def of_engine(self, namespace: str, engine: str) -> Iterator[Key]:
        """Whom a Deployment of this name, or its Lease, concerns."""
        return (key for key, known in self._known(namespace) if known is None or known.engine == engine)

    def of_pod(self, namespace: str, labels: Mapping[str, str]) -> Iterator[Key]:
        """Whom a pod with these labels concerns."""
        return (key for key, known in self._known(namespace) if known is None or known.selects(labels))

    def of_config_map(self, namespace: str, name: str) -> Iterator[Key]:
        """Whom a ConfigMap of this name concerns."""
        return (key for key, known in self._known(namespace) if known is None or name in known.mounted)

    def _known(self, namespace: str) -> Iterable[tuple[Key, Interest | None]]:
        return list(self._by_namespace.get(namespace, {}).items())
