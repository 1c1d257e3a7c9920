"""The configuration's files, in a folder whose owner is not who writes them."""

import pytest

from peal.settings import Settings
from peal.switch import config

SECRET = "root's own"


@pytest.fixture
def other(tmp_path):
    """A file that the switch's user may not read or write."""
    file = tmp_path / "other"
    file.write_text(SECRET)
    return file


def settings(tmp_path):
    return Settings(home=str(tmp_path))


# Break: config.py, `_put`: write to the file itself.
@pytest.mark.parametrize("name", ["kamailio.cfg", "rows.cfg", config.ARGUMENTS_FILE])
def test_a_link_in_place_of_a_file_goes_and_what_it_leads_to_stays(tmp_path, other, name):
    config.write(settings(tmp_path))
    file = tmp_path / "switch" / name
    text = file.read_text()
    file.unlink()
    file.symlink_to(other)
    config.write(settings(tmp_path))
    assert (file.is_symlink(), file.read_text()) == (False, text)
    assert other.read_text() == SECRET


# Break: config.py, `_control_key`: without O_NOFOLLOW.
def test_a_link_in_place_of_the_key_is_neither_read_nor_written_through(tmp_path, other):
    folder = tmp_path / "switch"
    folder.mkdir()
    (folder / config.KEY_FILE).symlink_to(other)
    with pytest.raises(OSError, match=config.KEY_FILE):
        config.write(settings(tmp_path))
    assert [file for file in folder.iterdir() if file.read_text() == SECRET] == [folder / config.KEY_FILE]
    assert other.read_text() == SECRET


def test_its_files_are_for_their_owner_alone(tmp_path):
    config.write(settings(tmp_path))
    written = (tmp_path / "switch").iterdir()
    assert {file.stat().st_mode & 0o077 for file in written if file.name != "self-signed.pem"} == {0}
