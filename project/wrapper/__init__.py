"""The far side: runs on the login node as the user, from one zipapp, with the standard library of Python 3.6."""
