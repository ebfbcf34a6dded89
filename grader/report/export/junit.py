"""JUnit XML for CI systems: one testsuite a submission, one testcase a test."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from grader.report.report import Outcome, Report, RunStatus, TestReport
from grader.text import clean, clean_line

_TAGS = {Outcome.FAILED: "failure", Outcome.MISSING: "skipped", Outcome.UNJUDGED: "skipped"}


def to_junit(reports: Iterable[Report]) -> str:
    """Write reports as JUnit XML; for staff, since it holds details of hidden tests."""
    root = ET.Element("testsuites", name="grader")
    for report in reports:
        root.append(_suite(report))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: Report) -> ET.Element:
    cases = [_case(test) for test in report.tests]
    if report.status is not RunStatus.GRADED:
        cases = [_ungraded(report)]
    tags = [child.tag for case in cases for child in case]
    suite = ET.Element(
        "testsuite",
        name=_xml(clean_line(report.submission)),
        tests=str(len(cases)),
        failures=str(tags.count("failure")),
        errors=str(tags.count("error")),
        skipped=str(tags.count("skipped")),
        time=f"{report.cpu_seconds:.3f}",
    )
    suite.extend(cases)
    return suite


def _case(test: TestReport) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=_xml(test.item),
        name=_xml(clean_line(test.title or test.id)),
        time=f"{test.cpu_seconds:.3f}",
    )
    if test.outcome is Outcome.PASSED:
        return case
    tag = _TAGS.get(test.outcome, "error")
    verdict = ET.SubElement(case, tag, message=_xml(clean_line(test.reason or test.outcome)))
    verdict.text = _xml(clean(test.detail))
    return case


def _ungraded(report: Report) -> ET.Element:
    case = ET.Element("testcase", classname=report.assignment, name="submission")
    words = "\n".join([*report.messages, report.fault])
    error = ET.SubElement(case, "error", message=_xml(report.status.value))
    error.text = _xml(clean(words))
    return case


def _xml(text: str) -> str:
    """Drop the two characters that `clean` keeps and XML 1.0 has no place for."""
    return text.replace("\ufffe", "").replace("\uffff", "")
