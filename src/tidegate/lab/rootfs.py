"""The servers' root file system, from Debian's packages, and the layers that make it a server.

``base`` is what mmdebstrap makes (20 to 80 s, once per recipe); a layer over it, made in a second
by ``provision.sh`` in a chroot, is one variant: ``server`` is ready for Tidegate, ``bare`` has only
root's key, ``bare-without-podman`` has no Podman either.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import InfrastructureError
from tidegate.lab.identity import known
from tidegate.lab.machine import CERTIFICATES, Machine
from tidegate.lab.namespace import Namespace
from tidegate.lab.packages import KEYRING
from tidegate.lab.places import Places
from tidegate.lab.processes import run
from tidegate.lab.progress import step

SUITE = "trixie"
PACKAGES = (
    "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,openssh-server,podman,crun,"
    "netavark,aardvark-dns,nftables,iproute2,uidmap,passt,catatonit,ca-certificates,python3,"
    "procps,curl,linux-sysctl-defaults,e2fsprogs,faketime,libfaketime,iputils-ping,sudo"
)
PROVISION = Path(__file__).parent / "provision.sh"
VARIANTS = ("server", "bare", "bare-without-podman")
REGISTRY_PACKAGE = "docker-registry"


@dataclass(frozen=True, slots=True)
class Rootfs:
    """Builds and finds the layers of the servers of one lab."""

    places: Places
    machine: Machine
    namespace: Namespace

    @property
    def base_key(self) -> str:
        """Changes whenever the base would."""
        recipe = [SUITE, PACKAGES, REGISTRY_PACKAGE, self.machine.architecture, self.machine.mirror]
        return _digest(json.dumps(recipe))

    def layer_key(self, variant: str) -> str:
        """Changes whenever the variant's layer would."""
        certificates = [path.read_text(errors="replace") for path in _certificates()]
        public = self.places.key.with_suffix(".pub").read_text()
        limits = str(self.machine.raises_limits)
        recipe = [self.base_key, variant, public, limits, PROVISION.read_text(), *certificates]
        return _digest(json.dumps(recipe))

    def base(self) -> Path:
        """The directory below every variant, built where it is not there yet."""
        base = self.places.rootfs / f"base-{self.base_key}"
        with self.places.lock("rootfs"):
            if not base.exists():
                with step("building the servers' root file system from Debian's packages, once"):
                    self._build_base(base)
        return base

    def layers(self, variant: str) -> list[Path]:
        """The directories of a variant, uppermost first, built where they are not there yet."""
        base = self.base()
        layer = self.places.rootfs / f"{variant}-{self.layer_key(variant)}"
        with self.places.lock("rootfs"):
            if not layer.exists():
                with step(f"preparing the {variant} layer"):
                    self._build_layer(variant, base, layer)
                self._prune()
        return [layer, base]

    def _build_base(self, base: Path) -> None:
        with _scratch(base) as temporary:
            debootstrap(self.machine, temporary, PACKAGES, [_FETCH_REGISTRY])
            (package,) = (temporary / "registry").glob("*.deb")
            program = self.places.registry / "program"
            shutil.rmtree(program, ignore_errors=True)
            program.mkdir(parents=True)
            run(["dpkg-deb", "-x", str(package), str(program)])
            shutil.rmtree(temporary / "registry")
            temporary.rename(base)

    def _build_layer(self, variant: str, base: Path, layer: Path) -> None:
        with _scratch(layer) as temporary:
            upper, work, root = (temporary / name for name in ("upper", "work", "root"))
            for folder in (upper, work, root):
                folder.mkdir(parents=True)
            folder = upper / str(CERTIFICATES).lstrip("/")
            folder.mkdir(parents=True)
            for certificate in _certificates():
                shutil.copy(certificate, folder)
            options = f"lowerdir={base},upperdir={upper},workdir={work}"
            self.namespace.run("mount", "-t", "overlay", "overlay", "-o", options, str(root))
            try:
                self._provision(variant, root)
            finally:
                self.namespace.run("umount", str(root))
            upper.rename(layer)

    def _provision(self, variant: str, root: Path) -> None:
        public = self.places.key.with_suffix(".pub").read_text().strip()
        settings = [
            f"VARIANT={variant}",
            f"PUBLIC_KEY={public}",
            f"LIMITS={'raise' if self.machine.raises_limits else 'keep'}",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        argv = ["chroot", str(root), "/usr/bin/env", "-i", *settings, "/bin/sh", "-s"]
        self.namespace.run(*argv, input=PROVISION.read_text())

    def _prune(self) -> None:
        """Drop layers that neither a server nor a present recipe needs."""
        keep = {f"base-{self.base_key}", *(f"{name}-{self.layer_key(name)}" for name in VARIANTS)}
        for identity in known(self.places):
            keep |= {Path(layer).name for layer in identity.layers}
        for path in self.places.rootfs.iterdir():
            if path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)


# mmdebstrap(1), HOOKS: apt of the outside works on the chroot through MMDEBSTRAP_APT_CONFIG
_FETCH_REGISTRY = (
    'mkdir -p "$1/registry" && cd "$1/registry" && '
    f'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download -q {REGISTRY_PACKAGE}'
)


def debootstrap(
    machine: Machine, target: Path, packages: str, hooks: list[str], options: Sequence[str] = ()
) -> None:
    """Make a Debian root file system: a directory, or a tar archive where the name ends so."""
    argv = ["mmdebstrap", "--variant=minbase", "--quiet", f"--keyring={KEYRING}"]
    argv += [f"--architectures={machine.architecture}", f"--include={packages}"]
    argv += [f"--customize-hook={hook}" for hook in hooks]
    try:
        mirror = [machine.mirror] if machine.mirror else []
        run([*argv, *options, SUITE, str(target), *mirror], timeout_s=900)
    except InfrastructureError as error:
        raise InfrastructureError(
            f"Debian's packages could not be had from {machine.mirror or 'the usual mirror'}",
            code="lab-no-packages",
            hint="name a mirror that this machine reaches in TIDEGATE_LAB_MIRROR",
            log=error.log,
        ) from error


def _certificates() -> list[Path]:
    """The authorities that this machine trusts besides the public ones."""
    return sorted(CERTIFICATES.glob("**/*.crt"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _scratch:  # noqa: N801 - used like a function, as contextlib's own are
    """A directory beside ``final`` that is gone afterwards, whatever happened."""

    def __init__(self, final: Path) -> None:
        self._path = final.with_name(f".{final.name}.{os.getpid()}")

    def __enter__(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._path, ignore_errors=True)
        return self._path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)
