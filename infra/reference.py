"""`python -m infra.reference`: the page on every setting, docs/configuration.md, from what Pulumi.yaml says.

Leaves out what only the parser knows, such as which settings go together: it says so where they do not.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from infra.paths import PROJECT_FILE, ROOT
from infra.project_file import read_yaml, schema

PAGE = ROOT / "docs" / "configuration.md"
_PAGES = {
    "apps": ("autoscaling.md",),
    "chaos": ("chaos.md",),
    "cluster": ("cluster.md", "existing-clusters.md"),
    "ingress": ("existing-clusters.md",),
    "load": ("engines.md", "locust.md"),
    "monitoring": ("grafana.md",),
    "namespace": ("existing-clusters.md",),
    "slo": ("objectives.md",),
    "validity": ("objectives.md",),
}
_HEAD = """\
# Settings

Every setting of a stack, made from [Pulumi.yaml](../Pulumi.yaml) by `make docs`.
A stack's own values stand in its file, such as [Pulumi.ci.yaml](../Pulumi.ci.yaml).
There `loadproof:` stands before each name.

```sh
pulumi config set ingress_port 8080 --stack ci
pulumi config set --path 'apps[0].replicas' 3 --stack ci
python -m loadtest check --stack ci
```

`check` finds everything that is wrong with them at once, before anything is created.
No setting is a secret."""


def reference(project: Mapping[str, Any]) -> str:
    """The page's text. Pure."""
    settings = schema(project).items()
    groups = groupby(settings, key=lambda setting: _group(setting[0]))
    sections = ("\n".join(_section(name, dict(members))) for name, members in groups)
    return "\n\n".join((_HEAD, *sections)) + "\n"


def _group(key: str) -> str:
    return key.partition("_")[0]


def _section(name: str, settings: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield f"## {name}\n"
    if pages := _PAGES.get(name):
        yield "More: " + ", ".join(f"[{page}]({page})" for page in pages) + ".\n"
    yield "| setting | type | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for key, declared in settings.items():
        meaning = declared["description"].replace("|", r"\|").replace("<", "&lt;")
        default = json.dumps(declared["default"], ensure_ascii=False)
        yield f"| `{key}` | {declared['type']} | `{default}` | {meaning} |"


if __name__ == "__main__":
    PAGE.write_text(reference(read_yaml(PROJECT_FILE)), encoding="utf-8")
