"""The Pulumi program: the stack that the configuration describes, and what it exports."""

import gc

# Whatever there is stays until the end, and the end comes soon: to look for garbage among what is imported,
# and once more at the end, would take a third of the program's time.
gc.disable()

from infra.local_images import local_images  # noqa: E402
from infra.outputs import export  # noqa: E402
from infra.settings import load  # noqa: E402
from infra.stack import build  # noqa: E402

settings = load()
export(build(settings, local_images(settings)))
gc.freeze()
