"""The upload form in a browser: what its script must not get wrong."""

from grader.api import Catalogue, reference_submission
from portal.demo import as_zip

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


def test_a_click_counts_although_the_preview_moves_the_button_away_under_it(portal, home, visit):
    page = visit("ada")
    page.add_init_script(HOLD)
    page.goto(f"/labs/{portal.site.offering_id}/")
    chosen = as_zip(reference_submission(Catalogue(home).get("tiny")))
    upload = {"name": chosen.name, "mimeType": "application/zip", "buffer": chosen.data}
    page.set_input_files("input[type=file]", [upload])
    page.wait_for_function("() => window.letPreviewCome")
    button = page.locator("form.upload button[type=submit]")
    button.hover()
    page.mouse.down()
    page.evaluate("() => window.letPreviewCome()")
    page.wait_for_timeout(300)
    page.mouse.up()
    page.wait_for_function("() => window.wasSent", timeout=5_000)
    page.wait_for_selector(".upload-preview li")
