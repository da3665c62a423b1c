"""A real nginx with the Lua module, in a folder of its own, on a free port, without root.

    with Nginx('location / { content_by_lua_block { ngx.say("hi") } }', main="…", http="…") as web:
        urllib.request.urlopen(web.url + "/")
"""

import glob
import os
import re
import shutil
import socket
import subprocess
import tempfile

os.environ["PATH"] += ":/usr/sbin"  # where nginx is, and where not everybody looks

FORM = """{modules}
{user}
worker_processes {workers};
daemon on;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
{main}
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {http}
  server {{
    listen 127.0.0.1:{port}{listen};
    {server}
  }}
}}
"""


def modules():
    """load_module lines for a dynamic Lua module; none if it is built in."""
    version = subprocess.run(["nginx", "-V"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"--modules-path=(\S+)", version)
    folder = found.group(1) if found else "/usr/lib/nginx/modules"
    names = ["ndk_http_module.so", "ngx_http_lua_module.so"]
    paths = [path for name in names for path in glob.glob(os.path.join(folder, name))]
    return "\n".join(f"load_module {path};" for path in paths)


def user():
    """Workers of a root's nginx would become another user, who may not read the checkout."""
    return "user root;" if os.geteuid() == 0 else ""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    def __init__(self, server, http="", main="", workers=1, connections=256, listen="", wrap=()):
        self.folder = tempfile.mkdtemp(prefix="loyalhook-nginx-")
        self.parts = {"server": server, "http": http, "main": main, "workers": workers,
                      "connections": connections, "listen": listen}
        self.wrap = wrap
        self.running = False
        for _ in range(20):
            self.port = free_port()
            if self._start():
                break
        else:
            raise RuntimeError("nginx does not start:\n" + self.errors())
        self.url = f"http://127.0.0.1:{self.port}"

    def _start(self):
        with open(os.path.join(self.folder, "nginx.conf"), "w") as file:
            file.write(FORM.format(folder=self.folder, port=self.port, modules=modules(),
                                   user=user(), **self.parts))
        done = subprocess.run(self._command(), capture_output=True, text=True)
        if done.returncode != 0 and "Address already in use" not in done.stderr:
            raise RuntimeError("nginx does not start:\n" + done.stderr + self.errors())
        self.running = done.returncode == 0
        return self.running

    def _command(self, *more):
        errors, conf = (os.path.join(self.folder, name) for name in ("error.log", "nginx.conf"))
        return [*self.wrap, "nginx", "-p", self.folder, "-e", errors, "-c", conf, *more]

    def signal(self, word):
        """stop, quit or reload."""
        subprocess.run(self._command("-s", word), capture_output=True, check=True)

    def errors(self):
        try:
            with open(os.path.join(self.folder, "error.log")) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def close(self):
        if self.running:
            self.signal("stop")
            self.running = False
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
