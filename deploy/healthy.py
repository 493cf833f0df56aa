"""Whether the web server beside this answers: `python deploy/healthy.py PORT`."""

import os
import sys
import urllib.error
import urllib.request


def main(port: str) -> int:
    """0 when `/healthz` answers 200, else 1."""
    host = os.environ["ALLOWED_HOSTS"].split(",")[0].strip()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - a fixed address
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.HTTPError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
