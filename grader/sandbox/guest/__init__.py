"""All that travels into the sandbox, copied there whole: it runs without `grader`.

The zygote and the confinement of its forks import the standard library alone; `codec`, `runner`,
`warmup` and `watch` also numpy and torch. All import each other by relative names only.
"""
