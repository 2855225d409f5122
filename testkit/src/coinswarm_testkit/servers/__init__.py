"""Real servers for tests: found, started without root, on loopback, and ended again; and a proxy that cuts.

Each server has a module here that says where it may come from: the variable ``COINSWARM_…_URL`` first, which names one
that runs already, then the program inside a wheel, then one that is installed.
"""
