"""The upload form in a browser: what its script must not get wrong."""

from grader.api import Catalogue, reference_submission
from portal.demo.uploads import as_zip

# The form's own preview, held back until the test lets it come; sending is noted, not done.
HOLD = """
const ask = window.fetch;
window.fetch = async (...request) => {
  const answer = await ask(...request);
  await new Promise((come) => { window.letPreviewCome = come; });
  return answer;
};
document.addEventListener("submit", (event) => {
  event.preventDefault();
  window.wasSent = true;
});
"""


def whole(home):
    chosen = as_zip(reference_submission(Catalogue(home).get("tiny")))
    return {"name": chosen.name, "mimeType": "application/zip", "buffer": chosen.data}


def test_the_same_files_are_sent_again_only_when_it_is_ticked(portal, home, visit):
    page = visit("karl")
    lab = f"/labs/{portal.site.offering_id}/"
    again = "form.upload input[name=again]"
    page.goto(lab)
    page.set_input_files("input[type=file]", [whole(home)])
    page.wait_for_selector(".upload-preview li")
    assert not page.is_visible(again)
    page.click("form.upload button[type=submit]")
    page.wait_for_url("**/submissions/*")
    first = page.url
    page.goto(lab)
    page.set_input_files("input[type=file]", [whole(home)])
    page.wait_for_selector(again)
    assert page.get_attribute(".upload-preview li a", "href") in first
    page.click("form.upload button[type=submit]")
    assert page.url.endswith(lab), "the browser asks for the tick"
    page.check(again)
    page.click("form.upload button[type=submit]")
    page.wait_for_url("**/submissions/*")
    assert page.url != first


def test_the_button_waits_for_files_that_are_asked_for(portal, home, visit):
    page = visit("karl")
    page.goto(f"/labs/{portal.site.offering_id}/")
    stray = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"nothing"}
    page.set_input_files("input[type=file]", [stray])
    page.wait_for_selector("form.upload .waits:not([hidden])")
    assert page.is_disabled("form.upload button[type=submit]")
    for file in Catalogue(home).get("tiny").assignment.files:
        assert (file.path in page.inner_text("form.upload .waits")) is file.required
    page.set_input_files("input[type=file]", [whole(home)])
    page.wait_for_selector("form.upload .waits", state="hidden")
    assert page.is_enabled("form.upload button[type=submit]")


def test_a_click_counts_although_the_preview_moves_the_button_away_under_it(portal, home, visit):
    page = visit("ada")
    page.add_init_script(HOLD)
    page.goto(f"/labs/{portal.site.offering_id}/")
    page.set_input_files("input[type=file]", [whole(home)])
    page.wait_for_function("() => window.letPreviewCome")
    button = page.locator("form.upload button[type=submit]")
    button.hover()
    page.mouse.down()
    page.evaluate("() => window.letPreviewCome()")
    page.wait_for_timeout(300)
    page.mouse.up()
    page.wait_for_function("() => window.wasSent", timeout=5_000)
    page.wait_for_selector(".upload-preview li")
