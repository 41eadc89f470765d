"""Assignments from one source: strict build, release, leak gate, grading.

The student edition of the package ships without this subpackage.
"""
