"""Keys of one engine: any other user of the machine could run code in it otherwise."""

import os
from pathlib import Path

from distributed import Security


def key_files(folder: Path) -> dict[str, Path]:
    """Return the files of an engine's folder that a worker reads its keys from."""
    return {name: folder / "keys" / f"{name}.pem" for name in ("ca_file", "cert", "key")}


def make_security(folder: Path) -> Security:
    """Return new keys, and write those of workers to their files, which only their owner may read."""
    private = folder / "keys"
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    private.chmod(0o700)
    security: Security = Security.temporary()
    keys = security.get_tls_config_for_role("worker")
    for name, path in key_files(folder).items():
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(keys[name])
    return security
