"""The portal as it is served: ``served.py INSTANCE HOME PORT``."""

import sys
from pathlib import Path

from portal.platform import connections
from portal.platform.config import PasswordCost, PortalConfig
from portal.serving import serve

instance, home, port = sys.argv[1:]
sys.argv = sys.argv[:1]
config = PortalConfig(
    instance=Path(instance),
    database_url=f"sqlite:///{instance}/portal.db",
    secret_key="0" * 64,
    grading_key=b"1" * 32,
    home=Path(home),
    password_cost=PasswordCost(time_cost=1, memory_kib=8, parallelism=1),
    upload_limit_mb=2,
)
connections.HEAD_SECONDS = 6.0  # so that a test need not wait for long
serve(config, host="127.0.0.1", port=int(port), threads=4, with_worker=False)
