"""The locustfile of a load without one of the user's: locust finds its users by the names in here."""

from loadtest.engines.locust.runner.users import PlannedUser

__all__ = ["PlannedUser"]
