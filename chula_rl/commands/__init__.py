"""The commands of ``chula-rl``, a module for each group of them.

Each module has ``add_parser``; what takes long to import is imported where it is used.
"""
