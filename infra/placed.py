"""What of a stack's needs set-up puts into the project's folder, and whether it is there."""

from infra import versions
from infra.ingress import CONTROLLERS
from infra.model import StackSettings
from infra.paths import PLACED


def set_up_problems(settings: StackSettings) -> list[str]:
    """One sentence for each chart that the program would look for in vain."""
    return [
        f"set-up was not run for this stack, {PLACED.name}/{place} is not there: "
        f"`make setup STACK={settings.stack}` brings it"
        for part in CONTROLLERS[settings.ingress.controller].parts
        for place in versions.places_of_part(part)
        if not (PLACED / place).exists()
    ]
