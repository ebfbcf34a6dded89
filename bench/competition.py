"""Play a whole competition through the portal's pages: 40 teams, 21 days, the clock set by us.

    python bench/competition.py
    python bench/competition.py --teams 12 --days 8 --a-day 2

Says how long it took, how often the better team of two scored more, how many teams are tied, and
whether a second season with the same secret ends in the same places.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.competition import Arena
from support.portal import open_site
from support.season import make_players, ordered_by_chance, ordered_right, play, results


def skills_of(teams: int) -> list[float]:
    """Return the share of rows that each team gets right in the end."""
    return [0.45 + 0.5 * number / teams for number in range(teams)]


def season(teams: int, days: int, a_day: int, seed: int) -> dict[str, float | dict[str, int]]:
    """Play one season on a portal of its own, and return what came of it."""
    with tempfile.TemporaryDirectory() as folder, open_site(Path(folder)) as site:
        arena = Arena(site)
        site.make_member("tess", "ta")
        staff = site.log_in("tess")
        players = make_players(arena, skills_of(teams), pairs=teams, seed=seed)
        begun = time.monotonic()
        play(arena, players, days=days, a_day=a_day)
        found = results(arena, staff)
        places = {name: place for name, (place, _) in found.items()}
        return {
            "seconds": time.monotonic() - begun,
            "ordered": ordered_right(players, found),
            "tied": sum(list(places.values()).count(place) > 1 for place in places.values()),
            "places": places,
        }


def main() -> None:
    """Play two seasons and print what they were like."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--teams", type=int, default=40)
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--a-day", type=int, default=1, help="entries of a team")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    first, second = (season(chosen.teams, chosen.days, chosen.a_day, chosen.seed) for _ in range(2))
    entries = chosen.teams * chosen.days * chosen.a_day
    print(f"{entries} entries in {first['seconds']:.0f} s")
    print(f"better team ahead in {100 * first['ordered']:.1f} % of pairs, {first['tied']} tied")
    if chosen.a_day == 1:
        mean, sd = ordered_by_chance(skills_of(chosen.teams), days=chosen.days, seasons=300, seed=2)
        print(f"simulated: {100 * mean:.1f} % of pairs, standard deviation {100 * sd:.1f} %")
    print(f"second season the same: {first['places'] == second['places']}")


if __name__ == "__main__":
    main()
