"""What stands behind `bin/`: prepares a bare machine, starts and stops what the helpdesk needs.

Everything here needs the standard library only, because it runs before any package is installed;
`mail_catcher`, `catalogues` and `prepare` are the exceptions, run by the Python of `.venv`.
"""
