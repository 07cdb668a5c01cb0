"""The Pulumi program: from a stack's settings to a cluster with all that is in it, and what it exports."""
