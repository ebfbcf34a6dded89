"""The ``portal`` command."""


def main() -> None:
    """Run the portal's command line."""
