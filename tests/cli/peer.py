"""A stand-in for llama.cpp's server: answers each chat with four pieces, as events of a stream."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        words = sum(len(message["content"].split()) for message in asked["messages"])
        self.send_response(200)
        self.end_headers()
        for piece in ("등", "대", " lamp", "."):
            self.event({"choices": [{"delta": {"content": piece}}]})
        self.event({"choices": [], "usage": {"prompt_tokens": words, "completion_tokens": 4}})
        self.wfile.write(b"data: [DONE]\n\n")

    def event(self, value):
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, *_arguments):
        pass


if __name__ == "__main__":
    _model, port, _threads = sys.argv[1:]
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
