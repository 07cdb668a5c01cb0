"""A GitHub API on loopback, as its documents describe comments: paging, rate limits, errors, viewer."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOGIN = "github-actions[bot]"
_COMMENTS = re.compile(r"/api/v3/repos/octo/service/issues/7/comments(?:\?(?P<query>.*))?")
_COMMENT = re.compile(r"/api/v3/repos/octo/service/issues/comments/(?P<number>\d+)")


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Sent instead of the answer to the next request of that method, once it has been carried out or not."""

    method: str
    status: int
    message: str = "trouble"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    carried_out: bool = False


@dataclass
class FakeGitHub:
    """Its comments, the requests it got, and the troubles it is to give."""

    url: str = ""
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    deleted_on_update: bool = False

    def add(self, body: str, login: str | None = LOGIN) -> int:
        number = 1 + max(self.comments, default=0)
        self.comments[number] = {
            "id": number,
            "body": body,
            "user": {"login": login, "id": 1, "url": f"{self.url}/users/x"} if login else None,
            "url": f"{self.url}/repos/octo/service/issues/comments/{number}",
            "html_url": f"https://github.example/octo/service/pull/7#issuecomment-{number}",
        }
        return number

    def bodies(self) -> dict[int, str]:
        return {number: comment["body"] for number, comment in self.comments.items()}

    def count(self, method: str) -> int:
        return sum(request.startswith(f"{method} ") for request in self.requests)


Answer = tuple[int, Any, dict[str, str]]
NOT_FOUND: Answer = (404, {"message": "Not Found"}, {})


def _page(fake: FakeGitHub, query: str) -> Answer:
    wanted = dict(pair.split("=") for pair in query.split("&") if pair)
    size, page = int(wanted.get("per_page", "30")), int(wanted.get("page", "1"))
    everything = list(fake.comments.values())
    address = f"{fake.url}/repos/octo/service/issues/7/comments?per_page={size}&page={page + 1}"
    more = len(everything) > page * size
    headers = {"Link": f'<{address}>; rel="next"'} if more else {}
    return 200, everything[(page - 1) * size : page * size], headers


def _carry_out(fake: FakeGitHub, method: str, path: str, sent: dict[str, Any]) -> Answer:
    if path == "/api/graphql":
        return 200, {"data": {"viewer": {"login": LOGIN}}}, {}
    if found := _COMMENTS.fullmatch(path):
        if method == "GET":
            return _page(fake, found["query"] or "")
        return 201, fake.comments[fake.add(sent["body"])], {}
    if (found := _COMMENT.fullmatch(path)) and (number := int(found["number"])) in fake.comments:
        if method == "DELETE" or fake.deleted_on_update:
            del fake.comments[number]
            return (204, None, {}) if method == "DELETE" else NOT_FOUND
        fake.comments[number]["body"] = sent["body"]
        return 200, fake.comments[number], {}
    return NOT_FOUND


def _handler(fake: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            fake.requests.append(f"{self.command} {self.path}")
            fake.tokens.add(self.headers["Authorization"])
            trouble = next((one for one in fake.troubles if one.method == self.command), None)
            answer = None
            if trouble is None or trouble.carried_out:
                answer = _carry_out(fake, self.command, self.path, sent)
            if trouble:
                fake.troubles.remove(trouble)
                answer = (trouble.status, trouble.body or {"message": trouble.message}, trouble.headers)
            if answer:
                self.reply(*answer)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_one  # noqa: N815 -- http.server asks for them

        def reply(self, status: int, body: Any, headers: dict[str, str]) -> None:
            content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            kind = "text/html" if isinstance(body, bytes) else "application/json; charset=utf-8"
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@contextmanager
def running() -> Iterator[FakeGitHub]:
    fake = FakeGitHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}/api/v3"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
