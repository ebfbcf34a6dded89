"""Where commands find the labs."""

from __future__ import annotations

from grader.errors import ProctorError
from grader.lab.catalogue import Catalogue, Lab, find_home
from grader.lab.competition import CompetitionRules


def catalogue() -> Catalogue:
    """Return the catalogue of the home that GRADER_HOME or the working folder gives."""
    return Catalogue(find_home())


def lab_of(slug: str) -> Lab:
    """Return a lab by slug; UnknownAssignment or ManifestError if there is none to use."""
    return catalogue().get(slug)


def rules_of(lab: Lab) -> CompetitionRules:
    """Return the rules of a lab that is a competition; ProctorError if it is none."""
    rules = lab.assignment.competition
    if rules is None:
        raise ProctorError(f"{lab.assignment.slug} is no competition; its manifest has no rules")
    return rules


def graded_by_tests(lab: Lab) -> Lab:
    """Return a lab that a hidden suite grades; ProctorError if it is a competition."""
    if lab.assignment.competition is not None:
        slug = lab.assignment.slug
        raise ProctorError(
            f"{slug} is a competition and has no tests to run; see grader rank, grader rerun and "
            f"grader validate {slug}"
        )
    return lab
