"""The report as a value and its renderers: a format reads the report and nothing else."""
