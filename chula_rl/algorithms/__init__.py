"""The algorithms of the course, one module each, readable top to bottom."""
