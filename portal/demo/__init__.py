"""A demo course whose results come from real grading: `build_demo` of `portal.demo.course`."""

from portal.demo.course import COMPETITION, LABS, build_demo

__all__ = ["COMPETITION", "LABS", "build_demo"]
