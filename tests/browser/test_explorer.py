"""The API browser in real Chromium, as an integrator meets it the first time."""

import json

import pytest
from playwright.sync_api import sync_playwright

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
    return message.type == "error" and "status of 401" not in message.text  # Chromium tells of those, too


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
