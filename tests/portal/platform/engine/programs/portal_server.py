"""A real portal server on one instance: ``portal_server.py INSTANCE URL HOME PORT``."""

import sys
from pathlib import Path

from gunicorn.app.base import BaseApplication

from portal.app import create_app
from portal.platform.config import PasswordCost, PortalConfig

instance, url, home, port = sys.argv[1:]
config = PortalConfig(
    instance=Path(instance),
    database_url=url,
    secret_key="0" * 64,
    grading_key=b"1" * 32,
    home=Path(home),
    password_cost=PasswordCost(time_cost=1, memory_kib=8, parallelism=1),
)


class Server(BaseApplication):
    def load_config(self):
        options = {"bind": f"127.0.0.1:{port}", "worker_class": "gthread", "threads": 40}
        for name, value in {**options, "loglevel": "error", "graceful_timeout": 1}.items():
            self.cfg.set(name, value)

    def load(self):
        return create_app(config)


sys.argv = sys.argv[:1]
Server().run()
