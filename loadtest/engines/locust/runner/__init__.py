"""What runs beside or inside locust: it takes a job from a file and prints one record for each request.

gevent, which locust stands on, changes the standard library of the whole process it is imported into; so
this is a program of its own. In the cluster it is mounted into pods that hold locust and nothing of this
project: its modules import locust, each other and the standard library alone.
"""
