"""The web page: HTML, CSS and JavaScript written by hand, served as they are. See service/api/routes/pages.py."""
