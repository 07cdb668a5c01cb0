"""When a measurement counts, from the configuration."""

from infra.model import ValiditySettings
from infra.reading import Section


def validity(section: Section) -> ValiditySettings:
    return ValiditySettings(
        rate_deviation_percent=section.number_text(
            "validity_rate_deviation_percent", at_least=0, at_most=100
        ),
        schedule_delay_p99_ms=section.number_text(
            "validity_schedule_delay_p99_ms", at_least=0, at_most=60_000
        ),
        schedule_delay_of_p50_percent=section.number_text(
            "validity_schedule_delay_of_p50_percent", at_least=0, at_most=10_000
        ),
        generator_core_percent=section.number_text(
            "validity_generator_core_percent", at_least=1, at_most=100
        ),
    )
