"""Which program is built from which Go module, at which version, and how long that took."""

from dataclasses import dataclass
from pathlib import Path

from golive_dev.versions import Version

MODULES = Path(__file__).parent / "go"
"""Folder of the pinned Go modules; each `go.sum` fixes every source file."""

KUBERNETES = Version(1, 37, 1)
"""Version of all programs from Kubernetes' own repository."""

ETCD = Version(3, 7, 3)
"""Version of etcd."""

HELM = Version(4, 3, 1)
"""Version of helm."""

PROMETHEUS = Version(3, 15, 0)
"""Version of Prometheus; its Go module counts differently: v0.315.0."""

FIRST_STAMPING = Version(1, 36, 0)
"""First Kubernetes whose mutating admission policies are stable, so that identities are stamped."""


@dataclass(frozen=True)
class Recipe:
    """How to get one program."""

    name: str
    """The program's file name."""
    version: Version
    """What is built, and what the result has to say it is."""
    minimum: Version
    """The oldest version that will do where one is installed already."""
    module: Path
    """Folder of the Go module to build in."""
    package: str
    """The main package."""
    version_arguments: tuple[str, ...]
    """Arguments that make the program print its version without a server."""
    measured_seconds: float
    """What a build took on two cores with nothing cached, after the ones listed before it."""
    stamps: tuple[str, ...] = ()
    """Variables the linker sets; clients misbehave against a server of unknown version."""
    tags: tuple[str, ...] = ()
    """Build tags."""


def _kubernetes(name: str, measured_seconds: float, *version_arguments: str) -> Recipe:
    """Return the recipe of a program from Kubernetes' own repository."""
    return Recipe(
        name=name,
        version=KUBERNETES,
        minimum=FIRST_STAMPING,
        module=MODULES / "kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        version_arguments=version_arguments or ("--version",),
        measured_seconds=measured_seconds,
        stamps=(
            f"k8s.io/component-base/version.gitVersion=v{KUBERNETES}",
            f"k8s.io/component-base/version.gitMajor={KUBERNETES.major}",
            f"k8s.io/component-base/version.gitMinor={KUBERNETES.minor}",
            f"k8s.io/client-go/pkg/version.gitVersion=v{KUBERNETES}",
        ),
    )


def _prometheus(name: str, measured_seconds: float) -> Recipe:
    """Return the recipe of a program from Prometheus' own repository."""
    return Recipe(
        name=name,
        version=PROMETHEUS,
        minimum=Version(3, 0, 0),
        module=MODULES / "prometheus",
        package=f"github.com/prometheus/prometheus/cmd/{name}",
        version_arguments=("--version",),
        measured_seconds=measured_seconds,
        stamps=(f"github.com/prometheus/common/version.Version={PROMETHEUS}",),
        tags=("netgo",),  # without the tag builtinassets: no web pages, which nothing here looks at
    )


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _kubernetes("kube-apiserver", 200),
        _kubernetes("kubectl", 19, "version", "--client"),
        Recipe(
            name="etcd",
            version=ETCD,
            minimum=Version(3, 6, 0),
            module=MODULES / "etcd",
            # Not go.etcd.io/etcd/v3: that is no main package, and building it "succeeds" with an archive.
            package="go.etcd.io/etcd/server/v3",
            version_arguments=("--version",),
            measured_seconds=19,
        ),
        _kubernetes("kube-controller-manager", 70),
        _kubernetes("kube-scheduler", 8),
        Recipe(
            name="helm",
            version=HELM,
            minimum=Version(4, 0, 0),
            module=MODULES / "helm",
            package="helm.sh/helm/v4/cmd/helm",
            version_arguments=("version", "--short"),
            measured_seconds=88,
            stamps=(f"helm.sh/helm/v4/internal/version.version=v{HELM}",),
        ),
        _prometheus("prometheus", 174),
        _prometheus("promtool", 42),
    )
}
"""Every program by name, in the order in which building is quickest."""
