"""Where commands find the labs."""

from __future__ import annotations

from grader.lab.catalogue import Catalogue, Lab, find_home


def catalogue() -> Catalogue:
    """Return the catalogue of the home that GRADER_HOME or the working folder gives."""
    return Catalogue(find_home())


def lab_of(slug: str) -> Lab:
    """Return a lab by slug; UnknownAssignment or ManifestError if there is none to use."""
    return catalogue().get(slug)
