"""The table of attacks: ``python tests/attacks/table.py`` writes it into its page."""

import importlib
import importlib.util
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from hostile.attack import Attack
from hostile.design import ITEMS

# Family -> what it is called on the page.
FAMILIES = {
    "reading": "Reading secrets",
    "smuggling": "Carrying hidden inputs out",
    "forging": "Forging the verdict",
    "lying": "Values that lie",
    "shortcuts": "Forbidden shortcuts",
    "resources": "Resources",
    "costing": "Our own work",
}


# Others: file -> what they are called. These need no sandbox, or a test with a lab of its own.
OTHERS = {
    "uploads/rows.py": "Uploads",
    "portal/rows.py": "The portal",
    "elsewhere.py": "Tried beside the code that stops it",
}

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"
BEGIN, END = "<!-- attacks: begin -->\n", "<!-- attacks: end -->\n"


def rows(family: str) -> tuple[Attack, ...]:
    """Return a family's attacks."""
    return importlib.import_module(f"hostile.{family}").ROWS


def every_row() -> list[tuple[str, Attack]]:
    """Return every attack with its family."""
    return [(family, attack) for family in FAMILIES for attack in rows(family)]


def markdown() -> str:
    """Return the table, a section a family, and what it says is not stopped."""
    others = {title: other_rows(file) for file, title in OTHERS.items()}
    graded, asked = len(every_row()), sum(map(len, others.values()))
    parts = [f"{graded} hostile submissions, and {asked} uploads, requests and others."]
    for family, title in FAMILIES.items():
        lines = [f"| `{a.name}` | {a.tries} | {a.lab} | {_tiers(a)} |" for a in rows(family)]
        head = "| attack | what it tries | lab | tiers |\n|---|---|---|---|"
        parts.append("\n".join([f"### {title}", "", head, *lines]))
    for title, found in others.items():
        lines = [f"| `{name}` | {tries} |" for name, tries in found]
        parts.append(
            "\n".join([f"### {title}", "", "| attack | what it tries |\n|---|---|", *lines])
        )
    excused = [(a, tier, why) for _, a in every_row() for tier, why in sorted(a.not_on.items())]
    if excused:
        lines = [f"- `{a.name}` on tier {tier}: {why}" for a, tier, why in excused]
        parts.append("\n".join(["### Not stopped", "", *lines]))
    return "\n\n".join(parts) + "\n"


def other_rows(file: str) -> list[tuple[str, str]]:
    """Return (name, what it tries) of the attacks in a file of rows."""
    spec = importlib.util.spec_from_file_location(
        f"attacks_{file.partition('/')[0].removesuffix('.py')}", Path(__file__).parent / file
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    found = [*module.ROWS, *getattr(module, "FOLDERS", ())]
    return [(row.name, _sentence(row.tries)) for row in found]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def page() -> str:
    """Return the page with the table in its place."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{markdown()}\n{END}{rest.partition(END)[2]}"


def _tiers(attack: Attack) -> str:
    return ", ".join(str(tier) for tier in (1, 2, 3) if tier not in attack.not_on)


def uncovered() -> list[str]:
    """Return the design's attacks that no row tries."""
    covered = {item for _, attack in every_row() for item in attack.covers}
    return [item for item in ITEMS if item not in covered]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
