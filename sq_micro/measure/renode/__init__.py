"""Renode: where it is, the files it is given, and what its output means. `link.renode_link` runs it.

Renode counts instructions: each takes the same virtual time. What comes from it is never called cycles, nor time.
"""
