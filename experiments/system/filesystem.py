"""Which file system a folder is on, and how much room it has."""

from pathlib import Path

import psutil

from experiments.system.checks import Check

# What a training and its model, plots and checkpoints need, with room to spare.
LEAST_BYTES = 2 * 10**9
# As the kernel names them. On these, locks and shared memory don't hold between machines as they do on one.
NETWORK = ("nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "orangefs", "pvfs2", "afs", "9p")


def filesystem_of(folder: Path) -> str:
    """Return the type of the file system that a folder is on, as the kernel names it; empty if it is unknown."""
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    resolved = folder.resolve()
    return next((mounts[above] for above in (resolved, *resolved.parents) if above in mounts), "")


def is_network(filesystem: str) -> bool:
    """Return whether a file system may be shared with other machines."""
    return filesystem.removeprefix("fuse.").startswith((*NETWORK, "sshfs"))


def check_disk(what: str, free: int) -> Check:
    """Return whether so many free bytes are enough."""
    return Check.of(what, f"{free / 1e9:.1f} GB free", good=free > LEAST_BYTES, remedy="make room")
