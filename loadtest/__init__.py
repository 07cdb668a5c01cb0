"""The post-deploy step: health, load, monitoring, report, comment; and the pipeline around a whole run."""
