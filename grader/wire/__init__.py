"""The one channel between the trusted process and student code.

`codec` and `runner` also run inside the sandbox, where they are a package of their own: they
import nothing of `grader`. `channel` and `proxy` are the trusted side.
"""
