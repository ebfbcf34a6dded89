"""What hidden suites import: the comparator, values, remote operations. Fixtures come by plugin."""

from grader.suite.compare import assert_matches
from grader.suite.remote import attribute, expect_raises, gradients, parameters, set_training
from grader.suite.values import as_array, as_number, as_object, as_tensor, require
from grader.wire.failures import (
    StudentCrashed,
    StudentError,
    StudentMemory,
    StudentRaised,
    StudentTimeout,
)
from grader.wire.proxy import RemoteObject, Student

__all__ = [
    "RemoteObject",
    "Student",
    "StudentCrashed",
    "StudentError",
    "StudentMemory",
    "StudentRaised",
    "StudentTimeout",
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
    "set_training",
]
