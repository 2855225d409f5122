"""The judge's process: ``python -m coinswarm_testkit.gate``, started by ``coinswarm plugins check``.

It imports nothing of the plugin that it judges. It runs the checks against workers (``coinswarm_testkit.worker``),
and it alone writes the certificate.
"""
