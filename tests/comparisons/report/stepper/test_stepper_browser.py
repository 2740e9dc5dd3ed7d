"""The stepper in a real browser: by keyboard, by mouse, at a desk and on a phone."""

from __future__ import annotations

import re

import pytest

from tests.comparisons.evidence import kept

DESK, PHONE = (1280, 800), (390, 844)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    from comparisons.report.stepper.page import draw_stepper
    from comparisons.stepper.recording import record

    path = tmp_path_factory.mktemp("page") / "stepper.html"
    path.write_text(draw_stepper(kept("stepper", record)), encoding="utf-8")
    return path.as_uri()


def at(page):
    """The moment that is shown, by what the page says of it in two places."""
    number = int(page.inner_text("#number"))
    assert page.input_value("#scrubber") == str(number)
    return number


def shown(page, moment):
    """Wait until a moment is shown."""
    page.wait_for_function(f"document.getElementById('number').textContent === '{moment}'")
    assert at(page) == moment


def many(page):
    return int(page.get_attribute("#scrubber", "max"))


def boxes(page, engine, state):
    return page.eval_on_selector_all(
        f"#{engine} .box.{state}", "found => found.map(box => box.dataset.box)"
    )


def phase_start(page, name):
    """Go to the first moment of a phase."""
    page.click(f'.stage:has-text("{name}")')
    return at(page)


def test_it_opens_where_the_first_op_runs_on_both_sides(visit):
    page = visit()
    assert at(page) == phase_start(page, "forward")
    assert boxes(page, "dynamic", "now") == ["op0"]
    assert len(boxes(page, "static", "now")) == 1


def test_before_the_first_moment_there_is_no_graph_on_either_side(visit):
    page = visit(moment=1)
    assert at(page) == 1
    for engine in ("dynamic", "static"):
        assert boxes(page, engine, "stands") == []
        assert page.inner_text(f"#{engine} .nodes-now") == "0 nodes"
    assert page.is_disabled('[data-go="back"]')


def test_keys_step_and_jump(visit):
    page = visit(moment=1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert at(page) == 3
    page.keyboard.press("ArrowLeft")
    assert at(page) == 2
    page.keyboard.press("End")
    assert at(page) == many(page)
    page.keyboard.press("ArrowRight")  # there is nothing beyond
    assert at(page) == many(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert at(page) == 1


def test_space_plays_and_pauses(visit):
    page = visit(moment=1)
    page.keyboard.press("Space")
    assert page.get_attribute("#play", "aria-pressed") == "true"
    page.wait_for_function("Number(document.getElementById('number').textContent) >= 3")
    page.keyboard.press("Space")
    stopped = at(page)
    assert page.get_attribute("#play", "aria-label") == "Play"
    page.wait_for_timeout(1200)  # longer than a frame stands
    assert at(page) == stopped


def test_playing_ends_at_the_last_moment_and_starts_again_from_there(visit):
    page = visit()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.click("#play")
    page.wait_for_function("document.getElementById('play').getAttribute('aria-pressed') === 'false'")
    assert at(page) == many(page)
    page.click("#play")
    page.wait_for_function("Number(document.getElementById('number').textContent) < 4")


FOCUSED = ('[data-go="on"]', "#play", ".stage", "#scrubber", ".story summary", ".over a", "#static-program")


def test_space_plays_wherever_the_focus_is_and_enter_presses_what_is_focused(visit):
    page = visit(moment=1)
    for place in FOCUSED:
        page.focus(place)
        for pressed in ("true", "false"):
            page.keyboard.press("Space")
            assert page.get_attribute("#play", "aria-pressed") == pressed, place
    assert page.get_attribute(".story", "open") is None
    before = at(page)
    page.focus('[data-go="on"]')
    page.keyboard.press("Enter")
    assert at(page) == before + 1


def test_buttons_step(visit):
    page = visit(moment=1)
    for name, expected in (("on", 2), ("on", 3), ("back", 2), ("last", many(page)), ("first", 1)):
        page.click(f'[data-go="{name}"]')
        assert at(page) == expected


def test_the_scrubber_goes_where_it_is_dragged_and_moves_by_its_own_keys(visit):
    page = visit()
    box = page.locator("#scrubber").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=8)
    page.mouse.up()
    assert abs(at(page) - many(page) / 2) < 3
    here = at(page)
    page.keyboard.press("ArrowRight")  # it has the focus: one step, not two
    assert at(page) == here + 1
    page.keyboard.press("End")
    assert at(page) == many(page)


def test_a_click_on_a_box_leads_to_its_moment(visit):
    page = visit()
    page.keyboard.press("End")
    page.click('#static .box[data-box="relu"]')
    first = at(page)
    assert boxes(page, "static", "now") == ["relu"]
    page.click('#static .box[data-box="relu"]')  # the other: described, and run
    assert at(page) != first
    assert boxes(page, "static", "now") == ["relu"]


def test_a_click_on_a_line_leads_to_its_moment(visit):
    page = visit()
    line = page.locator("#dynamic-script .line", has_text="loss.backward()")
    line.click()
    assert line.get_attribute("aria-current") == "step"
    assert page.inner_text("#dynamic .nodes-now") == "0 nodes"


def test_a_click_on_the_curve_leads_to_its_moment(visit):
    page = visit()
    size = page.locator("#static .curve").bounding_box()
    page.click("#static .curve", position={"x": size["width"] * 0.75, "y": 10})
    assert abs(at(page) - 0.75 * many(page)) < 2


def test_the_address_keeps_the_moment(visit):
    page = visit(moment=20)
    assert at(page) == 20
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("#moment-21")
    for asked, given in ((5, 5), (9999, many(page))):
        page.evaluate(f"location.hash = '#moment-{asked}'")
        shown(page, given)


def test_links_of_the_story_lead_to_their_moments(visit):
    page = visit()
    page.click(".story summary")
    page.click('.story a[href="#moment-7"]')
    shown(page, 7)
    page.wait_for_function("document.getElementById('stage').getBoundingClientRect().top > -5")


def test_the_graph_stands_whole_on_the_right_before_the_left_has_any(visit):
    page = visit()
    start = phase_start(page, "compile")
    whole = boxes(page, "static", "stands")
    assert len(whole) == page.locator("#static .box").count()
    assert boxes(page, "dynamic", "stands") == []
    assert "Waits" in page.inner_text("#dynamic .says")
    assert phase_start(page, "forward") > start
    assert boxes(page, "static", "stands") == whole


def test_the_left_grows_and_is_used_up_while_the_right_stands(visit):
    page = visit()
    here = phase_start(page, "forward")
    sizes = []
    for _ in range(here, many(page)):
        sizes.append((len(boxes(page, "dynamic", "stands")), len(boxes(page, "static", "stands"))))
        page.keyboard.press("ArrowRight")
    left, right = zip(*sizes, strict=True)
    top = left.index(max(left))
    assert list(left[: top + 1]) == sorted(left[: top + 1])
    assert list(left[top:]) == sorted(left[top:], reverse=True)
    assert left[-1] == 0
    assert len(set(right)) == 1


def test_what_is_at_work_is_shown_with_its_line_its_arrays_and_its_bytes(visit):
    page = visit()
    phase_start(page, "forward")
    assert boxes(page, "dynamic", "now") == ["op0"]
    assert page.inner_text("#dynamic-script .line.at").split("\n")[-1].endswith("h = ops.relu(x @ w1 + b1)")
    assert "matmul(" in page.inner_text("#static-program .line.at")
    assert page.inner_text("#same") == "both sides gave the same bits"
    for engine in ("dynamic", "static"):
        assert "32\N{MULTIPLICATION SIGN}32" in page.inner_text(f"#{engine} .values .new >> nth=-1")
        assert page.inner_text(f"#{engine} .bytes-now").endswith("kB")
        assert page.locator(f"#{engine} .edge.flows").count() == 2


def test_each_moment_is_said_aloud(visit):
    page = visit(moment=30)
    page.keyboard.press("ArrowRight")
    said = page.inner_text("#spoken")
    assert said.startswith(f"Moment 31 of {many(page)}")
    assert "dynamic:" in said
    assert "static:" in said


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_reads_in_every_light(visit, size, scheme):
    page = visit(size, moment=50, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    player = page.locator(".player").bounding_box()
    assert player["y"] + player["height"] <= size[1] + 1  # in reach without scrolling
    for name in ("first", "back", "play", "on", "last"):
        button = page.locator(f'[data-go="{name}"]').bounding_box()
        assert button["width"] >= 36
        assert button["height"] >= 32
    colours = page.evaluate(
        """() => ['.says', '.box.stands .title', '.values li b', '.where b'].map(name => {
            const element = document.querySelector(name);
            const style = getComputedStyle(element);
            return [style.fill !== 'rgb(0, 0, 0)' && element.closest('svg') ? style.fill : style.color,
                    getComputedStyle(element.closest('.panel, .player')).backgroundColor];
        })"""
    )
    for ink, paper in colours:
        assert _contrast(ink, paper) >= 4.5, (ink, paper)


@pytest.mark.parametrize("size", [DESK, (1366, 768)], ids=["desk", "low desk"])
def test_at_a_desk_the_player_hides_no_array_at_any_moment(visit, size):
    page = visit(size, moment=1)
    below = """() => Math.max(0, ...[...document.querySelectorAll('.values li')].map(
        item => item.getBoundingClientRect().bottom))
        - document.querySelector('.player').getBoundingClientRect().top"""
    moments = int(page.get_attribute("#scrubber", "max"))
    for moment in range(1, moments + 1):
        shown(page, moment)
        assert page.evaluate(below) <= 2, moment  # the border of the last row
        page.keyboard.press("ArrowRight")


def _contrast(*colours):
    """As WCAG 2.2 defines it, of two colours `rgb(r, g, b)`."""

    def light(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted(map(light, colours))
    return (high + 0.05) / (low + 0.05)


def test_on_a_phone_the_side_that_moves_comes_forward(visit):
    page = visit(PHONE)

    def seen():
        edges = page.eval_on_selector_all(".panel", "all => all.map(one => one.getBoundingClientRect().left)")
        return "dynamic" if abs(edges[0]) < abs(edges[1]) else "static"

    assert seen() == "dynamic"
    page.fill("#scrubber", "20")  # static describes
    page.wait_for_function(
        "document.getElementById('static').getBoundingClientRect().left < 60", timeout=5000
    )
    assert seen() == "static"
    now = page.locator("#static .box.now").bounding_box()
    assert 0 <= now["x"]
    assert now["x"] + now["width"] <= PHONE[0]


def test_less_motion_means_none(visit):
    page = visit(moment=45, reduced_motion="reduce")
    durations = page.eval_on_selector_all(
        ".box .body, .edge, .line", "all => all.map(one => getComputedStyle(one).transitionDuration)"
    )
    assert set(durations) == {"0s"}


def test_on_paper_a_strip_of_moments_tells_the_step(visit):
    """The first op and the end of each phase: on static the graph is whole in all of them, on dynamic it
    grows and is used up."""
    page = visit(moment=50)
    page.emulate_media(media="print")
    assert not page.is_visible(".player") and not page.is_visible("#panels")
    page.locator(".strip h3").first.wait_for(state="attached")  # it is made once the page has heard of paper
    titles = page.locator(".strip h3").all_inner_texts()
    assert [title.partition(": ")[2] for title in titles] == [
        "describe", "compile", "forward", "forward", "backward", "update"
    ]  # fmt: skip
    stand = {
        engine: page.eval_on_selector_all(
            f".strip .{engine} svg", "found => found.map(svg => svg.querySelectorAll('.stands').length)"
        )
        for engine in ("dynamic", "static")
    }
    assert len({*stand["static"]}) == 1
    assert stand["dynamic"][0] == stand["dynamic"][-1] == 0 < stand["dynamic"][2] < max(stand["dynamic"])
    page.emulate_media(media="screen")
    assert at(page) == 50 and not page.is_visible(".strip")


def test_letters_in_the_graph_have_ten_pixels_at_least(visit):
    for size in (DESK, PHONE):
        page = visit(size)
        smallest = """() => Math.min(...[...document.querySelectorAll('.box text')].map(text =>
            parseFloat(getComputedStyle(text).fontSize) * text.closest('.box').getScreenCTM().a))"""
        assert page.evaluate(smallest) >= 10 - 0.01


def test_without_a_script_both_graphs_stand_whole_and_the_story_is_told(visit):
    page = visit(java_script_enabled=False)
    assert not page.is_visible(".player")
    assert page.locator('#static .box[data-box="relu"]').is_visible()
    page.click(".story summary")
    assert page.locator(".story td").first.is_visible()
