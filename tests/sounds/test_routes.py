"""Sounds over REST: uploaded, listed, downloaded, named by fields, deleted."""

import gzip
import json
import re
import socket

import httpx
import pytest
from parts import transact
from sound_files import MP3, WAV
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

LIST = "/client/@me/sound/"
FIELDS = [
    "ringback_sound",
    "hold_music",
    "announce_sound_upon_outgoing_call",
    "announce_sound_upon_incoming_call",
]
FORM = {"Content-Type": "multipart/form-data; boundary=x"}
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def idle(server):
    """A client that never gets a sound."""
    return server.tenant()


def upload(api, content=WAV, filename="morning.wav", part="file", declared="audio/wav", **texts):
    return api.post(LIST, files={part: (filename, content, declared)}, data=texts)


def made(api, **more):
    answer = upload(api, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_upload_read_change_delete(tenant):
    sound = made(tenant.api, title="Good morning")
    told = {"title": "Good morning", "filename": "morning.wav", "client_id": tenant.id, "dealer_id": None}
    assert sound == {"id": sound["id"], **told}
    one = f"{LIST}{sound['id']}"
    assert tenant.api.get(one).json() == sound
    changed = tenant.api.put(one, json={"title": "Good evening", "filename": "x.wav", "id": 1})
    assert (changed.status_code, changed.json()) == (200, sound | {"title": "Good evening"})
    assert tenant.api.get(LIST).json() == [changed.json()]
    gone = tenant.api.delete(one)
    assert (gone.status_code, gone.content) == (204, b"")
    assert tenant.api.get(one).status_code == tenant.api.get(one + "/download/").status_code == 404


@pytest.mark.parametrize(
    ("content", "filename", "type_"),
    [(WAV, "a.mp3", "audio/wav"), (MP3, "page.html", "audio/mpeg")],
    ids=["wav", "mp3"],
)
def test_the_download_is_the_upload_its_type_told_by_content(tenant, content, filename, type_):
    sound = made(tenant.api, content=content, filename=filename, declared="text/html")
    answer = tenant.api.get(f"{LIST}{sound['id']}/download/")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == type_
    assert answer.headers["content-disposition"] == f'attachment; filename="{filename}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-length"] == str(len(content))


def test_a_name_beyond_ascii_comes_back_beside_one_that_every_client_reads(tenant):
    sound = made(tenant.api, filename='Доброе "утро" 100%.wav')
    assert sound["filename"] == 'Доброе "утро" 100%.wav'
    told = tenant.api.get(f"{LIST}{sound['id']}/download/").headers["content-disposition"]
    assert re.match(r'attachment; filename="[A-Za-z0-9_. ]+"; filename\*=UTF-8\'\'', told)
    assert httpx.URL(f"http://host/{told.partition(chr(39) * 2)[2]}").path == "/" + sound["filename"]


def test_a_name_can_not_add_a_header(tenant):
    sound = made(tenant.api, filename="a%0D%0ASet-Cookie: stolen=1%0D%0A.wav")
    assert sound["filename"] == "aSet-Cookie: stolen=1.wav"
    headers = tenant.api.get(f"{LIST}{sound['id']}/download/").headers
    assert "set-cookie" not in headers
    assert headers["content-disposition"] == 'attachment; filename="aSet-Cookie: stolen=1.wav"'


def test_a_name_as_older_libraries_send_it(tenant):
    body = (
        b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-8''%D1%83%D1%82%D1%80%D0%BE.wav"
        b"\r\n\r\n" + WAV + b"\r\n--x--\r\n"
    )
    answer = tenant.api.post(LIST, content=body, headers=FORM)
    assert (answer.status_code, answer.json()["filename"]) == (201, "утро.wav")


def test_the_only_file_may_have_any_name_and_its_name_is_the_title(tenant):
    for part in ("file", "filename", "sound", "data"):
        assert made(tenant.api, part=part, title="")["title"] == "morning.wav"


def test_of_several_files_the_one_called_file_counts(tenant):
    files = [("cover", ("a.png", b"png")), ("file", ("b.wav", WAV))]
    answer = tenant.api.post(LIST, files=files)
    assert (answer.status_code, answer.json()["filename"]) == (201, "b.wav")


@pytest.mark.parametrize(
    ("files", "field"),
    [
        pytest.param([("file", ("a.wav", b"", "audio/wav"))], "file", id="empty"),
        pytest.param([("file", ("a.wav", b"hello", "audio/wav"))], "file", id="no-sound"),
        pytest.param([("voice", ("a.mp3", b"<html>", "audio/mpeg"))], "voice", id="no-sound-elsewhere"),
        pytest.param([("title", (None, b"Good morning"))], "file", id="no-file"),
        pytest.param([("title", (None, b"x" * 256)), ("file", ("a.wav", WAV))], "title", id="long-title"),
        pytest.param([("title", (None, b"a\0b")), ("file", ("a.wav", WAV))], "title", id="control-in-title"),
        pytest.param([("title", (None, b"\xff")), ("file", ("a.wav", WAV))], "title", id="title-not-utf-8"),
        pytest.param([("a", ("a.wav", WAV)), ("b", ("b.wav", WAV))], "file", id="two-files"),
    ],
)
def test_a_bad_upload_names_the_part_and_makes_nothing(idle, files, field):
    answer = idle.api.post(LIST, files=files)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert idle.api.get(LIST).json() == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        pytest.param(b"{}", "application/json", 415, id="json"),
        pytest.param(WAV, "audio/wav", 415, id="bare-content"),
        pytest.param(b"--x\r\nno form", "multipart/form-data; boundary=x", 400, id="no-form"),
        pytest.param(b"--x\r\n\r\n", "multipart/form-data", 400, id="no-boundary"),
        pytest.param(b"", "multipart/form-data; boundary=x", 400, id="nothing"),
        pytest.param(
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + WAV,
            "multipart/form-data; boundary=x",
            400,
            id="cut-off",
        ),
        pytest.param(
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 21 + b"--x--\r\n",
            "multipart/form-data; boundary=x",
            400,
            id="many-parts",
        ),
    ],
)
def test_what_is_no_form_is_refused_in_the_contracts_shape(idle, body, content_type, status):
    answer = idle.api.post(LIST, content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert {"message", "status"} <= set(answer.json())
    assert idle.api.get(LIST).json() == []


def test_a_compressed_form_is_refused_as_any_compressed_body(idle):
    headers = FORM | {"Content-Encoding": "gzip"}
    answer = idle.api.post(LIST, content=gzip.compress(b"--x--\r\n"), headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (415, "Content-Encoding")


def test_ten_megabytes_are_taken_and_one_byte_more_is_not(tenant):
    most = WAV + bytes(10 * MEGABYTE - len(WAV))
    sound = made(tenant.api, content=most)
    assert tenant.api.get(f"{LIST}{sound['id']}/download").content == most
    answer = upload(tenant.api, content=most + b"\0")
    assert (answer.status_code, answer.json()["status"]) == (413, "body_too_large")
    assert tenant.api.get(LIST).json() == [sound]


def test_other_bodies_stay_at_one_megabyte(tenant):
    one = f"{LIST}{made(tenant.api)['id']}"
    answer = tenant.api.put(one, content=b'{"title": "' + b"x" * MEGABYTE + b'"}')
    assert (answer.status_code, answer.json()["status"]) == (413, "body_too_large")


def test_an_upload_that_announces_ten_gigabytes_is_refused_before_it_is_sent(server, tenant):
    head = [
        f"POST /api/ver1.0{LIST} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {tenant.api.token}",
        "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {10 * 1024**3}",
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_ten_gigabytes_that_nobody_announced_are_cut_off_early(tenant):
    sent = 0

    def endless():
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + WAV
        while sent < 10 * 1024 * MEGABYTE:
            sent += MEGABYTE
            yield bytes(MEGABYTE)

    answer = tenant.api.post(LIST, content=endless(), headers=FORM)
    assert (answer.status_code, answer.json()["status"]) == (413, "body_too_large")
    assert 10 * MEGABYTE <= sent < 100 * MEGABYTE  # buffers on the way take some 20
    assert tenant.api.get(LIST).json() == []


def test_filters_and_pages(tenant):
    one, two, three = (made(tenant.api, title=title)["id"] for title in ("a", "b", "a"))

    def ids(query):
        answer = tenant.api.get(f"{LIST}?{query}")
        assert answer.status_code == 200, answer.text
        return [sound["id"] for sound in answer.json()]

    assert ids("order=asc") == [one, two, three]
    assert ids("page=2&per_page=2") == [one]
    assert ids(f"id={one}&id={three}&order=asc") == [one, three]
    assert ids(f"id[0]={one}&id%5B1%5D={two}&order=asc") == [one, two]
    assert ids(f"id[]={two}") == [two]
    assert ids("title=b&title=c") == [two]
    assert ids(f"title[0]=a&title[1]=b&id={one}&id={two}&order=asc") == [one, two]
    assert ids("id=&title=&title[0]=&own_only=&page=&per_page=&order=asc") == [one, two, three]
    assert ids("own_only=1&order=asc") == ids("own_only=True&order=asc") == [one, two, three]
    assert ids(f"id={10**17}") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [("id=x", "id"), ("id=1&id[0]=-1", "id"), ("own_only=perhaps", "own_only"), ("id=1&" * 1001, "id")],
)
def test_a_bad_filter_is_named(idle, query, field):
    answer = idle.api.get(f"{LIST}?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_another_client_sees_hears_and_changes_none(server, tenant):
    one = f"{LIST}{made(tenant.api)['id']}"
    stranger = server.tenant().api
    answers = [
        stranger.get(one),
        stranger.get(one + "/download"),
        stranger.put(one, json={"title": "mine"}),
        stranger.delete(one),
        stranger.get(one.replace("@me", str(tenant.id))),
        stranger.post(LIST.replace("@me", str(tenant.id)), files={"file": ("a.wav", WAV)}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 6
    assert stranger.get(LIST).json() == []
    assert len(tenant.api.get(LIST).json()) == 1
    assert tenant.api.get(one).json()["title"] == "morning.wav"


def test_read_only_access_hears_and_no_more(server, tenant):
    one = f"{LIST}{made(tenant.api)['id']}"
    reader = server.api(tenant.id, access="read_only")
    assert reader.get(one + "/download").content == WAV
    answers = [upload(reader), reader.put(one, json={"title": "x"}), reader.delete(one)]
    assert [answer.status_code for answer in answers] == [403] * 3


def test_an_administrator_uses_the_client_by_id(server, tenant):
    place = LIST.replace("@me", str(tenant.id))
    answer = server.admin.post(place, files={"file": ("a.wav", WAV)}, data={"title": "From above"})
    assert (answer.status_code, answer.json()["client_id"]) == (201, tenant.id)
    assert tenant.api.get(f"{LIST}{answer.json()['id']}/download").content == WAV


@pytest.mark.parametrize("field", FIELDS)
def test_a_phone_names_a_sound_of_its_client_which_then_stays(server, tenant, field):
    extension = tenant.extension()
    phone, one = f"/extension/{extension}/phone/", made(tenant.api)["id"]
    for wrong in (made(server.tenant().api)["id"], 10**9):
        refused = tenant.api.put(phone, json={field: wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)
    assert tenant.api.put(phone, json={field: one}).json()[field] == one
    kept = tenant.api.delete(f"{LIST}{one}")
    assert (kept.status_code, kept.json()["status"]) == (400, "still_used")
    assert f"{field} of extension {extension}" in kept.json()["message"]
    assert tenant.api.put(phone, json={field: None}).json()[field] is None
    assert tenant.api.delete(f"{LIST}{one}").status_code == 204


def test_a_client_names_a_sound_of_its_own_which_then_stays(server, tenant):
    info, one = f"/client/client_info/{tenant.id}", made(tenant.api)["id"]
    for wrong in (made(server.tenant().api)["id"], 10**9, 2**40):
        refused = tenant.api.put(info, json={"hold_music": wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "hold_music")
    assert tenant.api.put(info, json={"hold_music": one}).json()["hold_music"] == one
    kept = tenant.api.delete(f"{LIST}{one}")
    assert (kept.status_code, kept.json()["status"]) == (400, "still_used")
    assert f"hold_music of client {tenant.id}" in kept.json()["message"]
    assert tenant.api.put(info, json={"hold_music": None}).json()["hold_music"] is None
    assert tenant.api.delete(f"{LIST}{one}").status_code == 204


def test_a_client_goes_with_the_sounds_that_it_and_its_phones_name(server, tenant):
    extension, one = tenant.extension(), made(tenant.api)["id"]
    tenant.api.put(f"/client/client_info/{tenant.id}", json={"hold_music": one})
    tenant.api.put(f"/extension/{extension}/phone/", json={"ringback_sound": one})
    assert server.admin.delete(f"/admin/client/{tenant.id}").status_code == 204
    assert server.admin.get(f"/client/{tenant.id}/sound/{one}").status_code == 404


def test_the_audit_tells_a_sound_without_its_content(server, tenant):
    made(tenant.api, title="Good morning")

    async def read(work):
        query = text("SELECT new FROM audit WHERE action = 'sound:create' AND client_id = :client")
        return (await work.execute(query, {"client": tenant.id})).scalar_one()

    told = transact(server.database, read)
    told = json.loads(told) if isinstance(told, str) else told
    assert told == {"title": "Good morning", "filename": "morning.wav", "format": "wav"}


@pytest.mark.parametrize("named", ["hold_music", "dial_rule_id", "sip_network_permission_id"])
def test_the_database_keeps_what_a_client_names(server, tenant, named):
    paths = {"hold_music": None, "dial_rule_id": "dial_rule", "sip_network_permission_id": named[:-3]}
    body = {"dial_rules": [], "name": "Office", "networks": ["192.0.2.0/24"]}

    def thing(api):
        return (
            made(api) if paths[named] is None else api.post(f"/client/@me/{paths[named]}/", json=body).json()
        )

    foreign = thing(server.tenant().api)["id"]
    statement = text(f"UPDATE client SET {named} = {foreign} WHERE id = {tenant.id}")

    async def write(work):
        await work.execute(statement)

    with pytest.raises(IntegrityError):
        transact(server.database, write)
