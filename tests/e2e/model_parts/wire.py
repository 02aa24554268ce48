"""HTTP on one connection that stays open: a run asks some thousand things."""
import http.client
import json

ADMIN = "/api/v1/ota"
DDI = "/DEFAULT/controller/v1/"


class Wire:
    def __init__(self, port):
        self.port, self.connection = port, None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def call(self, method, path, body=None, headers=None, raw=None):
        """The status, and the JSON or None. Not tried twice: a lost answer is a fault."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        head = {"Content-Type": "application/json"} if data is not None else {}
        self.connection.request(method, path, data, {**head, **(headers or {})})
        answer = self.connection.getresponse()
        text = answer.read()
        try:
            return answer.status, json.loads(text) if text else None
        except ValueError:
            return answer.status, text

    def upload(self, metadata, content):
        boundary = "modelBoundary7f1c"
        raw = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="firmware.bin"\r\n'
               "Content-Type: application/octet-stream\r\n\r\n").encode() + content + (
                   f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'
                   f"{json.dumps(metadata)}\r\n--{boundary}--\r\n").encode()
        return self.call("POST", ADMIN + "/firmware", raw=raw,
                         headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
