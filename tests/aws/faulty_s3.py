"""S3 with a fault: passes requests on to an emulator until the Nth object is written.

    python3 faulty_s3.py '{"upstream": "http://127.0.0.1:5000", "at": 3, "how": "refuse"}'

`how`: `refuse` answers 403 from then on, `hang` answers nothing from then on, `fail` answers 500 once, `cut` ends the connection once
after half of the object came. `GET /writes` tells how many writes came, retries among them. Prints its port.
"""

import http.client
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

options = json.loads(sys.argv[1])
upstream = urlparse(options["upstream"])
lock, writes = threading.Lock(), 0
REFUSAL = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        global writes
        if self.path == "/writes":
            return self.answer(200, str(writes).encode())
        length = int(self.headers.get("Content-Length") or 0)
        if self.command == "PUT":
            with lock:
                writes += 1
                number = writes
            if number >= options["at"]:
                if options["how"] == "refuse":
                    self.rfile.read(length)
                    return self.answer(403, REFUSAL)
                if options["how"] == "hang":
                    time.sleep(600)
                if number == options["at"] and options["how"] == "fail":
                    self.rfile.read(length)
                    return self.answer(500, b"<Error><Code>InternalError</Code></Error>")
                if number == options["at"] and options["how"] == "cut":
                    self.rfile.read(length // 2)
                    self.close_connection = True
                    return self.connection.close()
        body = self.rfile.read(length)
        connection = http.client.HTTPConnection(upstream.hostname, upstream.port)
        connection.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "connection"})
        found = connection.getresponse()
        self.answer(found.status, found.read(), found.getheaders())

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
