"""A PostgreSQL that asks for a password, an odd one, and speaks TLS."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parts import Postgres, own_postgres

ODD = "p@ss/w:o%r#d&x? '\"\\1"
ESCAPED = "p%40ss%2Fw%3Ao%25r%23d%26x%3F%20%27%22%5C1"
"The same, as URLs have it."


class Locked:
    """A cluster with a migrated database `base` of the user `odd`."""

    def __init__(self, cluster: Postgres):
        self.cluster = cluster
        literal = ODD.replace("'", "''")
        cluster._sql(f"CREATE ROLE odd SUPERUSER LOGIN PASSWORD '{literal}'")
        cluster._sql("CREATE DATABASE base TEMPLATE template")
        data = cluster.folder / "data"
        self.root = cluster.folder / "root.pem"
        self.certificate(self.root, data / "server.key")
        serve_tls(data, self.root)
        (data / "pg_hba.conf").write_text(
            "host all peal 127.0.0.1/32 trust\nhost all odd 127.0.0.1/32 scram-sha-256\n"
        )
        cluster._run("pg_ctl", "-D", data, "reload")

    def url(self, password: str = ESCAPED, query: str = "") -> str:
        return f"postgresql://odd:{password}@127.0.0.1:{self.cluster.port}/base{query}"

    def certificate(self, file: Path, key: Path | None = None) -> None:
        """Write a certificate for 127.0.0.1, signed by itself."""
        command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt"]
        command += ["ec_paramgen_curve:P-256", "-days", "1", "-subj", "/CN=base.test"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key or file.with_suffix(".key"))]
        subprocess.run([*command, "-out", file], check=True, capture_output=True)


def serve_tls(data: Path, certificate: Path) -> None:
    """Have the cluster in `data` show this certificate; its key is there."""
    (data / "server.crt").write_bytes(certificate.read_bytes())
    for file in (data / "server.key", data / "server.crt"):
        file.chmod(0o600)
        subprocess.run(["chown", "--reference", data, file], check=True)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("ssl = on\n")


@contextmanager
def locking() -> Iterator[Locked]:
    with own_postgres() as cluster:
        yield Locked(cluster)
