"""A PostgreSQL server in a folder of its own, with the settings that it is installed with: it syncs every commit."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian keeps them off PATH."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else found[-1].parent if found else None


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Yield the address of an empty database."""
    found = programs()
    if found is None:
        raise SystemExit("--storage: expected PostgreSQL's programs; got none (Debian: apt install postgresql)")
    folder.mkdir()
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        for parent in folder.parents[:2]:  # temporary folders are their maker's alone
            parent.chmod(parent.stat().st_mode | 0o055)
        as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]

    def run(*words: str) -> None:
        command = [*as_user, f"{found}/{words[0]}", "-D", f"{folder}/data", *words[1:]]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8")
    run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"-c listen_addresses= -k {folder}", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-m", "immediate", "-w", "stop")
