"""A stage of the book in a real browser: by keyboard, by mouse, at a desk, on a phone, without a script."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    from comparisons.book.recording import all_stages, record
    from comparisons.report.book.page import draw_book

    (page,) = draw_book(record(all_stages()[1:2])).values()
    path = tmp_path_factory.mktemp("book") / "stage_2.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


def at(page, step):
    return int(page.input_value(f"#step-{step} .player input"))


def stand(page, step, engine):
    """How many boxes are seen."""
    return page.locator(f"#step-{step} .chosen .{engine} .graph g:not(.coming)").count()


def test_keys_step_through_what_has_the_focus_and_leave_other_steps_alone(visit):
    page = visit(reduced_motion="reduce")
    page.focus("#step-15")
    end, other = at(page, 15), at(page, 14)
    page.keyboard.press("ArrowLeft")
    assert at(page, 15) == end - 1
    for _ in range(end):
        page.keyboard.press("ArrowLeft")
    assert (at(page, 15), at(page, 14)) == (1, other)
    assert page.inner_text("#step-15 .chosen .dynamic .out") == ""
    assert (stand(page, 15, "dynamic"), stand(page, 15, "static")) == (1, 1)
    page.keyboard.press("ArrowRight")
    assert "Moment 2 of" in page.inner_text("#spoken")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#step-15 .player input').value > 3")
    page.keyboard.press("Space")
    assert page.get_attribute('#step-15 [data-go="play"]', "aria-label") == "Play"


def test_a_choice_brings_the_graph_that_was_recorded_for_it(visit):
    page = visit()
    before = stand(page, 16, "static")
    page.focus('#step-16 .menu input[value="0"]')
    page.keyboard.press("ArrowRight")
    after = stand(page, 16, "static")
    assert before != after
    assert "shared = False" in page.inner_text("#step-16 .chosen .dynamic .code")


def test_a_click_on_a_line_leads_to_its_moment_and_gradients_are_seen(visit):
    page = visit()
    page.click('#step-15 .dynamic [data-line="2"]')
    assert page.locator('#step-15 .dynamic [data-line="2"].at').count() == 1
    assert page.locator("#step-15 .dynamic .nabla").count() == 0
    page.click('#step-15 .dynamic [data-line="5"]')
    assert "\N{NABLA} 64" in page.inner_text("#step-15 .dynamic .graph")


def test_on_a_phone_nothing_is_wider_than_the_screen_but_what_scrolls(visit):
    page = visit((390, 844))
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_a_script_every_step_stands_as_it_ended(visit):
    page = visit(java_script_enabled=False)
    assert page.locator(".take").count() > page.locator(".step").count()
    assert page.locator("#step-24 .take:visible").count() == 3
    assert page.locator("#step-24 .player:visible").count() == 0
    assert "32.0 64.0" in page.inner_text("#step-15")
