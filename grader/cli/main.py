"""The ``grader`` command."""


def main() -> None:
    """Run the grader's command line."""
