"""The security scan: what Trivy finds in a repository, in what a stack deploys, and in its images.

Advice, no verdict: findings fail nothing. Each of the three gets a SARIF file of its own, as the Security tab
wants one category for each.
"""
