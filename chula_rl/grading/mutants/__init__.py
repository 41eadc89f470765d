"""Mutation testing of the hidden tests: do they notice one small mistake in a solution?

The operators are those of a student of this subject, such as a lost detach or merged
flags. mutmut has no operators of one's own; cosmic-ray has, but changes files on disk
and starts a command, so imports torch, for each mutant.
"""
