"""A pgbouncer before a cluster of the tests."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parts import Postgres, free_port, until

PROGRAM = "/usr/sbin/pgbouncer"


@contextmanager
def pooling(postgres: Postgres, mode: str) -> Iterator[int]:
    """Run one in that `pool_mode`; yield its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="peal-pooler-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "users").write_text('"peal" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={postgres.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {folder / 'users'}\n"
            f"pool_mode = {mode}\ndefault_pool_size = 60\n"
        )
        drop = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(
                [*drop, PROGRAM, folder / "pgbouncer.ini"], stdout=log, stderr=log, cwd="/"
            )
            try:
                until(lambda: "process up" in (folder / "log").read_text(), report=(folder / "log").read_text)
                yield port
            finally:
                running.terminate()
                running.wait(10)
