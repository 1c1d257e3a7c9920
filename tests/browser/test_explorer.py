"""The API browser in real Chromium, as an integrator meets it the first time."""

import json
import re

import pytest
from playwright.sync_api import sync_playwright
from sound_files import WAV

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, server):
    """A page that has met no error and has asked nobody but the server."""
    opened = chromium.new_page(viewport={"width": 1200, "height": 900})
    errors, asked = [], set()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if _unexpected(message) else None)
    opened.on("request", lambda request: asked.add(request.url.split("/api/")[0].split("/oauth/")[0]))
    opened.goto(f"{server.url}/api/ver1.0/client_api_explorer/")
    yield opened
    opened.close()
    assert (errors, asked) == ([], {server.url})


def _unexpected(message):
    return message.type == "error" and not re.search(
        "status of 40[01]", message.text
    )  # Chromium tells of those, too


def answer(form):
    """Press Try it out! and return the status line and the JSON below the headers."""
    form.get_by_role("button", name="Try it out!").click()
    form.locator(".answer", has_text="x-request-id").wait_for()
    head, _, body = form.locator(".answer").inner_text().partition("\n\n")
    return head.split(" ")[0], json.loads(body)


def test_authenticate_set_token_and_make_a_bundle(page, tenant, tmp_path):
    main, one = tenant.extension(), tenant.extension()
    authentication = page.locator("#authentication")
    assert authentication.get_by_role("heading").inner_text() == "authentication"
    page.get_by_label("client_id").first.fill(tenant.api.keys["client_id"])
    page.get_by_label("client_secret").fill(tenant.api.keys["client_secret"])
    status, granted = answer(authentication.locator("form"))
    assert status == "200"
    page.get_by_label("Access Token Field").fill(granted["access_token"])
    page.get_by_role("button", name="Set Token").click()
    post = page.locator("details", has_text="Set the extensions associated with a main one")
    post.locator("summary").click()
    post.get_by_label("client_id").fill("@me")
    post.get_by_label("extension_id").fill(str(main))
    post.get_by_label("body").fill(json.dumps({"bundle_list": [one]}))
    status, made = answer(post)
    page.screenshot(path=tmp_path / "explorer.png", full_page=True)
    assert (status, made) == ("201", {"bundle_list": [one], "bundle_id": main})
    assert tenant.api.get(f"/client/@me/extensions_bundle/{one}").json()["bundle_id"] == main


def opened(page, tenant, operation):
    """Set the tenant's token, open an operation's form and name the tenant in it."""
    page.get_by_label("Access Token Field").fill(tenant.api.token)
    page.get_by_role("button", name="Set Token").click()
    form = page.locator(f"details[id='{operation}']")
    form.locator("summary").click()
    form.get_by_label("client_id").fill("@me")
    return form


def test_upload_a_sound_and_download_it(page, tenant):
    upload = opened(page, tenant, "create_sound")
    upload.get_by_label("file", exact=True).set_input_files(
        {"name": "morning.wav", "mimeType": "audio/wav", "buffer": WAV}
    )
    upload.get_by_label("title").fill("Good morning")
    status, made = answer(upload)
    assert (status, made["title"], made["filename"]) == ("201", "Good morning", "morning.wav")
    download = opened(page, tenant, "download_sound")
    download.get_by_label("sound_id").fill(str(made["id"]))
    download.get_by_role("button", name="Try it out!").click()
    told = download.locator(".answer", has_text="x-request-id")
    told.wait_for()
    assert 'attachment; filename="morning.wav"' in told.inner_text()
    assert told.inner_text().endswith(f"{len(WAV)} bytes of audio/wav")


def test_the_parts_of_an_upload_are_explained_and_a_missing_file_is_told(page, tenant):
    upload = opened(page, tenant, "create_sound")
    rows = upload.locator("table").first.locator("tr").all_text_contents()
    assert rows[0] == "fieldtypemeaning"
    assert rows[1].startswith("file *fileWAV or MP3")
    assert rows[2].startswith("titlestringTitle")
    status, told = answer(upload)
    assert (status, [error["field"] for error in told["errors"]]) == ("400", ["file"])


def test_every_operation_is_drawn_with_its_parameters_and_fields(page, server):
    page.locator("details").first.wait_for()
    for path, operations in server.admin.get("/openapi.json").json()["paths"].items():
        for operation in operations.values():
            if path.startswith("/oauth"):
                continue
            drawn = page.locator(f"details[id='{operation['operationId']}']")
            names = {p["name"] for p in operation.get("parameters", [])}
            assert names <= set(drawn.locator("input").evaluate_all("all => all.map(i => i.name)"))
            assert drawn.locator("table").last.text_content().startswith("status")


def test_wrong_credentials_are_told(page):
    page.get_by_label("client_id").first.fill("0" * 32)
    page.get_by_label("client_secret").fill("0" * 32)
    status, told = answer(page.locator("#authentication form"))
    assert (status, told["error"]) == ("401", "invalid_client")
