"""Past the day's limit a lab may grade an upload and show its points alone, until it closes."""

import pytest
from support.portal import START
from support.reports import PICTURE, SECRET

from portal.submissions.arrival import Arrival


@pytest.fixture
def past(bench, report):
    """Ada's second upload of a day that allows one, graded; and what she sees of it."""
    bench.change_offering(attempts_per_day=1, score_past_limit=True)
    bench.grade(bench.receipt(data=b"a = 1\n", key="first-upload")["id"], report)
    sent = bench.receipt(data=b"a = 2\n", key="second-upload")
    bench.grade(sent["id"], report)
    return sent


def test_an_upload_past_the_limit_is_graded_and_shows_its_points_alone(bench, past, report):
    first, second = bench.submissions()
    said = [Arrival.model_validate_json(one.intake).score_alone for one in (first, second)]
    assert said == [False, True]
    page = bench.client.get(past["url"]).text
    assert "until the lab closes it shows its points alone" in page and "5</b>" in page
    explained = bench.client.get(f"{past['url']}/explain").text
    for text in (page, explained):
        assert "Claim number" not in text and "Hint number" not in text and SECRET not in text
    assert "Claim number" in bench.client.get(f"/submissions/{first.id}").text


def test_no_picture_of_it_is_shown_before_the_lab_closes(bench, past, report):
    shown = {
        f"{past['url']}/artifacts/{picture.sha256}.png": picture.visibility
        for picture in report.artifacts
    }
    assert {bench.client.get(address).status_code for address in shown} == {404}
    bench.site.clock.instant = START.replace(month=12)
    opened = [bench.client.get(address) for address in shown]
    assert [answer.data.startswith(PICTURE) for answer in opened if answer.status_code == 200]
    assert "Claim number" in bench.client.get(past["url"]).text


def test_the_form_says_so_before_and_a_lab_without_the_setting_refuses(bench, past):
    lab = f"/labs/{bench.offering_id}/"
    assert "shows its score alone until the lab closes" in bench.client.get(lab).text
    bench.change_offering(score_past_limit=False)
    assert "You have used today" in bench.client.get(lab).text
    assert bench.send(data=b"a = 3\n", key="third-upload", json=True).status_code == 422


def test_all_attempts_in_all_stay_a_limit(bench, past):
    bench.change_offering(attempts_total=2)
    answer = bench.send(data=b"a = 3\n", key="third-upload", json=True)
    assert answer.status_code == 422 and "all 2 attempts" in answer.json["reasons"][0]
