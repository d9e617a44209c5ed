"""Which file system a folder is on."""

from pathlib import Path

import psutil

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
