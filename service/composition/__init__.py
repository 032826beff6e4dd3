"""Settings -> running parts. The only place that knows every implementation; whatever starts Quoth starts here.

Read in this order: library, generators, service, jobs, http, slack.
"""
