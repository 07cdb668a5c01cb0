"""Trivy's database of vulnerabilities: whether it can be had at all, which decides what a scan looks for.

Its registries are asked first: Trivy itself would wait for a silent one without end.
"""

import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException

_REGISTRIES = ("mirror.gcr.io", "ghcr.io")
"""Where Trivy looks by itself."""
_PATIENCE_S = 4.0


def out_of_reach(repositories: str | None, patience_s: float = _PATIENCE_S) -> str:
    """Why no registry answers; empty where one does. `repositories` is what Trivy takes, with commas."""
    registries = _registries_of(repositories) if repositories else _REGISTRIES
    reasons = []
    for registry in registries:
        if not (reason := _why_silent(registry, patience_s)):
            return ""
        reasons.append(f"{registry}: {reason}")
    return "; ".join(reasons)


def _registries_of(repositories: str) -> Sequence[str]:
    return tuple(one.strip().partition("/")[0] for one in repositories.split(","))


def _why_silent(registry: str, patience_s: float) -> str:
    """Any answer will do, and the usual one is that somebody has to log in first."""
    scheme = "http" if registry.startswith(("127.", "localhost")) else "https"
    try:
        with urllib.request.urlopen(f"{scheme}://{registry}/v2/", timeout=patience_s):  # noqa: S310 - a registry
            return ""
    except urllib.error.HTTPError:
        return ""
    except urllib.error.URLError as error:
        return _words(error.reason)
    except (OSError, HTTPException, ValueError) as error:  # it is no registry, or no name of one
        return _words(error)


def _words(reason: str | BaseException) -> str:
    """Without the number that the system has for it."""
    return (isinstance(reason, OSError) and reason.strerror) or str(reason)
