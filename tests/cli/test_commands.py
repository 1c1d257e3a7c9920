"""The command line, as an operator uses it."""

import os
import subprocess
import sys

from parts import peal

USER = ("user", "create", "--password-stdin")


def make_client(database, **options):
    flags = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return peal(
        database, "client", "create", "--name", "A", "--prefix", "0003", "--domain", "pbx.test", *flags
    )


def test_explicit_ids_move_the_sequence_on(database):
    assert make_client(database, id=801)["id"] == 801
    extension = ("extension", "create", "--client", "801", "--type", "phone", "--name")
    assert peal(database, *extension, "100", "--id", "31456")["id"] == 31456
    made = peal(database, *extension, "0003*101", "--status", "active")
    assert (made["id"], made["name"], made["status"]) == (31457, "0003*101", "active")
    other = peal(database, "client", "create", "--name", "B", "--prefix", "0004", "--domain", "pbx.test")
    assert other["id"] == 802


def test_a_taken_id_or_number_is_named(database):
    make_client(database, id=801)
    extension = ("extension", "create", "--client", "801", "--type", "phone", "--name", "100", "--id", "5")
    peal(database, *extension)
    assert "name: 100 is taken" in peal(database, *extension, ok=False)["stderr"]
    clash = ("client", "create", "--name", "A", "--prefix", "9", "--domain", "pbx.test", "--id", "801")
    assert peal(database, *clash, ok=False)["stderr"] == "peal: id: 801 is taken\n"


def test_an_application_gets_its_keys(database):
    made = make_client(database)
    peal(database, *USER, "--client", str(made["id"]), "--login", "ann", stdin="a long password\n")
    keys = peal(
        database, "app", "create", "--login", "ann", "--name", "CRM", "--type", "trusted", "--access", "All"
    )
    assert set(keys) == {"client_id", "client_secret"}
    assert all(len(key) == 32 and set(key) <= set("0123456789abcdef") for key in keys.values())


def test_a_user_belongs_to_a_client_or_is_an_administrator(database):
    neither = peal(database, *USER, "--login", "ann", stdin="a long password\n", ok=False)
    assert (neither["code"], neither["stderr"]) == (1, "peal: give either --admin or --client ID\n")
    unknown = peal(database, *USER, "--client", "7", "--login", "ann", stdin="a long password\n", ok=False)
    assert unknown["stderr"] == "peal: client: 7 does not exist\n"
    short = peal(database, *USER, "--admin", "--login", "ann", stdin="short\n", ok=False)
    assert "password" in short["stderr"]


def test_a_wrong_setting_is_named():
    wrong = peal("mysql://x", "migrate", ok=False)
    assert (wrong["code"], "database_url" in wrong["stderr"]) == (1, True)
    beyond = peal("sqlite:////tmp/never-made.db", "serve", "--host", "0.0.0.0", ok=False)
    assert "host" in beyond["stderr"]


# Break: cli/__init__.py: import `client` at its top; db/migrate.py: import Alembic at its top.
def test_a_command_loads_neither_the_web_nor_migrations_when_it_needs_none(database):
    peal(database, "migrate")
    program = """
import sys
from peal.cli import cli
cli(["migrate", "--json"], standalone_mode=False)
import peal.cli.switch
print(*{"alembic", "litestar", "granian", "httpcore"} & set(sys.modules), sep=",")
"""
    env = {"PATH": os.environ["PATH"], "PEAL_DATABASE_URL": database}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1:] == [""]
