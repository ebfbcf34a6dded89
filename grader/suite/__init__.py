"""What hidden suites import: comparator, values, remote operations, studies. Fixtures: a plugin."""

from grader.sandbox.host.failures import (
    StudentCrashed,
    StudentError,
    StudentMemory,
    StudentRaised,
    StudentTimeout,
)
from grader.sandbox.host.proxy import RemoteObject, Student
from grader.suite.compare import assert_matches
from grader.suite.remote import (
    attribute,
    expect_raises,
    gradients,
    parameters,
    require_unchanged,
    set_training,
)
from grader.suite.study import Study, StudyCell, Trial
from grader.suite.values import as_array, as_number, as_object, as_tensor, require

__all__ = [
    "RemoteObject",
    "Student",
    "StudentCrashed",
    "StudentError",
    "StudentMemory",
    "StudentRaised",
    "StudentTimeout",
    "Study",
    "StudyCell",
    "Trial",
    "as_array",
    "as_number",
    "as_object",
    "as_tensor",
    "assert_matches",
    "attribute",
    "expect_raises",
    "gradients",
    "parameters",
    "require",
    "require_unchanged",
    "set_training",
]
