"""A process that emits events until it is killed, and what it said was accepted."""

import os
import subprocess

from cli import TOP, lua_environment

TINY_WAL_BYTES = 65536


class Emitter:
    """A process of spec/harness/emitter.lua whose output is collected in a file."""

    def __init__(self, shop, name, most=10 ** 9, per_call=1):
        self.path = shop.path(f"{name}.ids")
        lua = os.environ.get("LUA54", "lua5.4")
        environment = {**shop.environment, **lua_environment("lua5.4")}
        with open(self.path, "wb") as out, open(self.path + ".err", "wb") as err:
            self.process = subprocess.Popen(
                [lua, f"{TOP}/spec/harness/emitter.lua", "sqlite:" + shop.path("loyalhook.db"),
                 name, str(most), str(per_call), str(TINY_WAL_BYTES)],
                stdout=out, stderr=err, env=environment, cwd=shop.folder)
        shop.started.append(self.process)

    def ids(self):
        """What it said. A last line without its line break may be cut: that id was not said."""
        with open(self.path, "rb") as file:
            return file.read().decode().split("\n")[:-1]

    def complaint(self):
        with open(self.path + ".err", encoding="utf-8") as file:
            return file.read()
