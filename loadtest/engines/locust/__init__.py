"""The engine of the second system's users: locust, in a process of its own or in pods of the cluster."""
