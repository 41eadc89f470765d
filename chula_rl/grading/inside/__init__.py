"""What runs inside the sandbox, and the wire that both sides speak.

Nothing here imports the rest of the grader or the reference: the folder is mounted in
the sandbox by itself, next to the student edition, as the package ``inside``.
"""
