"""What JUnit reports of several tools say."""

from __future__ import annotations

from tidegate.images.junit import Counts, counts

PYTEST = (
    '<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" tests="3">'
    '<testcase name="a"/><testcase name="b"><failure message="x">no</failure></testcase>'
    '<testcase name="c"><skipped/></testcase></testsuite></testsuites>'
)
SINGLE = '<testsuite><testcase name="d"><error/></testcase></testsuite>'


def test_reports_are_added_up() -> None:
    """Over files, and over suites in one."""
    assert counts([PYTEST, SINGLE]) == Counts(tests=4, failures=1, errors=1, skipped=1)


def test_what_is_no_report_says_nothing() -> None:
    """Broken XML, and XML of another kind."""
    assert counts([]) is None
    assert counts(["<testsuite", "<coverage/>"]) is None
    assert counts(["<coverage/>", SINGLE]) == Counts(1, 0, 1, 0)
