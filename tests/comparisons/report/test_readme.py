"""What the README shows is what happens."""

from __future__ import annotations

import re

import pytest

from tests import HOME
from tests.comparisons.report.test_report import MS, doctored

pytest.importorskip("sklearn")

README = (HOME / "README.md").read_text(encoding="utf-8")
SHARED, DYNAMIC, STATIC, *ALONE, BRIDGE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def run(code, capsys):
    """What the code prints."""
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    return capsys.readouterr().out


def test_both_styles_print_the_same_number(capsys):
    import static

    dynamic_said = run(SHARED + DYNAMIC, capsys)
    static.reset_default_graph()
    static_said = run(SHARED + STATIC, capsys)
    assert 0 < float(dynamic_said) < 1
    assert static_said == dynamic_said


def test_each_engine_alone_does_what_is_shown(capsys):
    assert len(ALONE) == 2
    for code in ALONE:
        assert re.search(r"2\.?0?, ?4\.?0?, ?6|2\. 4\. 6\.", run(code, capsys))


def test_a_decorated_function_ran_as_programs_on_one_path(capsys):
    said = run(BRIDGE, capsys)
    assert said.startswith("repeated: 1 path, ")
    assert "compiled to event" in said and "plainly" not in said


def test_every_file_that_is_named_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (HOME / target).is_file(), target
    for folder in re.findall(r"^\| `(\w+)/`", README, flags=re.MULTILINE):
        assert folder == "reports" or (HOME / folder).is_dir(), folder


def test_the_rows_of_the_report_are_written_between_their_marks(report, capsys):
    from docs.report_picture import BEGIN, END, ROWS, rows

    assert README.count(BEGIN) == README.count(END) == 1
    doctored(report)
    table = rows(report)
    assert "all of one quick run on" in table
    assert "| losses equal bit for bit, at `optimize=\"exact\"` | 6 of 6 | 6 of 6 |" in table
    steps = "4.00 ms (3.92 to 4.08 ms) | **3.00 ms (2.94 to 3.06 ms)**"
    assert f"| a training step of the CNN | {steps} |" in table
    assert capsys.readouterr().err.count("this run has no row of") == len(ROWS) - 1
    assert "**4.00 ms (3.92 to 4.08 ms)** | 5.00 ms" in rows(doctored(report, step=(4 * MS, 5 * MS)))


def test_the_two_commands_stand_at_the_top():
    first = README.index("```")
    assert README[first:].startswith("```\nmake compare")
    assert "make test" in README[first : first + 200]
    assert README[:first].count("\n") < 12
