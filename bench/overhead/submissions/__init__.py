"""The forty submissions: what each student wrote differently from the model solution.

A file replaces the functions and classes it defines, and puts its other statements before them.
"""
