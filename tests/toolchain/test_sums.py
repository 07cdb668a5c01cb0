"""A file's sum in its publisher's list, in each form that publishers keep one."""

from __future__ import annotations

import pytest

from toolchain.sources.sums import sum_of

A, B = "a" * 64, "b" * 64
TOOL = "https://example.org/v1/tool-1.tgz"
INDEX = f"""apiVersion: v1
entries:
  tool:
  - apiVersion: v2
    dependencies:
    - name: other
      version: 3.0.0
    digest: {A}
    keywords:
    - one
    urls:
    - https://example.org/v1/tool-2.tgz
    version: "2"
  - apiVersion: v2
    digest: {B}
    urls:
    - {TOOL}
    version: "1"
"""


@pytest.mark.parametrize(
    ("published", "found"),
    [
        (f"{A}  tool-2.tgz\n{B}  tool-1.tgz\n", B),
        (f"{A} *tool-1.tgz\n{B}  tool-1.tgz.sig\n", A),
        (A.upper(), A),
        (f"{A}\n{B}\n", None),
        ("short  tool-1.tgz\n", None),
        (INDEX, B),
        (INDEX.replace(f"    digest: {B}\n", ""), None),
        (INDEX.replace(B, "none"), None),
        ("", None),
    ],
)
def test_the_sum_is_that_of_this_very_file(published: str, found: str | None) -> None:
    assert sum_of(TOOL, published) == found
