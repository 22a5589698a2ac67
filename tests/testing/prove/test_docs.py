"""What the proof of the documents makes of pytest's report."""

from __future__ import annotations

from tidegate.testing.prove.docs import judged

REPORT = """<testsuites><testsuite>
<testcase name="test_a_page_is_true[README.md]" time="12.34"/>
<testcase name="test_a_page_is_true[docs/lab.md]" time="5"><failure message="code 4"/></testcase>
<testcase name="test_a_page_is_true[docs/gates.md]" time="1"><error message="no server"/></testcase>
</testsuite></testsuites>"""


def test_each_failure_has_its_page() -> None:
    """A page that fails, or cannot be tried, is a violation; every page has its seconds."""
    violations, figures = judged(REPORT)
    assert [(one["page"], one["said"]) for one in violations] == [
        ("docs/lab.md", "code 4"),
        ("docs/gates.md", "no server"),
    ]
    assert figures["pages"] == 3
    assert figures["seconds"]["README.md"] == 12.3
