"""How gunicorn serves pages and the API; each can be set in the environment."""

import os

bind = "0.0.0.0:8000"
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 20
# Each worker is replaced now and then, not all at once, so that a slow leak never adds up.
max_requests = 5000
max_requests_jitter = 500
# Heartbeats in memory: on a disk that is busy they would make workers look dead.
worker_tmp_dir = "/dev/shm"  # noqa: S108
# Nobody steers a container from inside, and its disk is read-only.
control_socket_disable = True
# Only the proxy of our own network reaches this port.
forwarded_allow_ips = "*"
