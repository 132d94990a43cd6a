"""Testcases as JUnit's XML, which GitLab, Jenkins and most other CI systems show.

The layout is that of the schema that Jenkins' xUnit plug-in publishes (``testsuites``, ``testsuite``,
``testcase`` with ``failure``, ``error`` or ``skipped``). The standard library's writer escapes;
what XML 1.0 cannot hold is taken out before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from harness.reporting.testcases import Testcase
from harness.wording import one_line

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""All that is no Char of XML 1.0 (https://www.w3.org/TR/xml/#charsets): control characters, halves
of surrogate pairs, U+FFFE and U+FFFF.
"""
_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}
MESSAGE = 500
"""Characters of a message's attribute; the element's text has it whole."""


def junit(cases: Sequence[Testcase], name: str) -> str:
    """The XML document; one testsuite per suite, in order of appearance."""
    root = ElementTree.Element("testsuites", {"name": allowed(name), **_counts(cases)})
    for suite in dict.fromkeys(case.suite for case in cases):
        mine = [case for case in cases if case.suite == suite]
        parent = ElementTree.SubElement(root, "testsuite", {"name": allowed(suite), **_counts(mine)})
        for case in mine:
            _add(parent, case)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add(parent: ElementTree.Element, case: Testcase) -> None:
    attributes = {"classname": allowed(case.suite), "name": allowed(case.name), "time": _time([case])}

    # GitLab links a case to its file; a line is what pytest's and others' readers know.
    file, _, rest = (case.source or "").partition(":")
    if file and not file.startswith("--set"):
        attributes["file"] = allowed(file)
        attributes |= {"line": rest.partition(":")[0]} if rest[:1].isdigit() else {}
    element = ElementTree.SubElement(parent, "testcase", attributes)
    if case.outcome in _ELEMENTS:
        message = allowed(one_line(case.message, MESSAGE))
        problem = ElementTree.SubElement(element, _ELEMENTS[case.outcome], {"message": message})
        if case.outcome != "skipped":
            problem.text = allowed(case.message)


def _counts(cases: Sequence[Testcase]) -> dict[str, str]:
    outcomes = [case.outcome for case in cases]
    return {
        "tests": str(len(cases)),
        "failures": str(outcomes.count("failed")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
        "time": _time(cases),
    }


def _time(cases: Sequence[Testcase]) -> str:
    return f"{sum(case.seconds or 0.0 for case in cases):.3f}"


def allowed(text: str) -> str:
    """The text with a question mark in black for each character that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
