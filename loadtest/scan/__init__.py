"""The security scan: what Trivy finds in a repository, in what stacks deploy, and in their images.

Advice, no verdict of a run. Each of the three gets a SARIF file of its own, as the Security tab wants one
category for each. A finding that is accepted is explained in the repository's `.trivyignore.yaml`.
"""
