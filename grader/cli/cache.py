"""``grader cache``: the results of single tests that are kept between runs."""

from __future__ import annotations

import click

from grader.grading import ResultCache, cache_folder
from grader.text import megabytes


@click.command("cache")
@click.option("--keep", "keep_mb", type=click.IntRange(0), metavar="MB", help="Keep the newest.")
@click.option("--clear", is_flag=True, help="Remove all of them.")
def cache_command(keep_mb: int | None, clear: bool) -> None:
    """Show or clean up the kept results of tests.

    They lie in GRADER_CACHE, else below XDG_CACHE_HOME. Removing them costs time at the next
    run, nothing else; without this command they stay below 1024 MB.
    """
    cache = ResultCache(cache_folder())
    if clear or keep_mb is not None:
        removed = cache.trim(0 if clear else keep_mb)
        click.echo(f"Removed {removed} results.")
    extent = cache.extent()
    click.echo(f"{extent.entries} results, {megabytes(extent.size)}, in {cache.folder}")
