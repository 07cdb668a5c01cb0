"""The Pulumi program: the stack that the configuration describes, and what it exports."""

import gc

from infra.local_images import local_images
from infra.outputs import export
from infra.settings import load
from infra.stack import build

settings = load()
export(build(settings, local_images(settings)))

# Whatever there is by now stays until the end, and the end comes soon: to look through it all once more for
# garbage would take a third of the program's time.
gc.freeze()
