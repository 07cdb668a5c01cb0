"""Gets every tool and image the project needs: found on the machine, downloaded and verified, or built.

Standard library only, because it runs before any virtual environment exists.
It knows nothing of what the tools are used for: that is `infra` and `loadtest`.
"""
