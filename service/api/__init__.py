"""The HTTP API and the web page: routes that turn JSON into questions, and answers into JSON or server-sent events.

service/composition/http.py builds the app. Nothing here decides an answer: that is service/answering/.

Read in this order: schemas/ (what is shared with other doors is in service/schemas), problems, openapi, dependencies,
front_end_tasks, routes/, middleware/.
"""
