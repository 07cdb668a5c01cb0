"""A GitHub API on loopback, as its documents describe it: comments with paging, rate limits, errors, viewer;
statuses, permissions, pull requests, workflow runs, reactions.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

LOGIN = "github-actions[bot]"
_REPOSITORY = "/api/v3/repos/octo/service/"
_STATES = {"success", "failure", "error", "pending"}
_FILTERS = ("head_sha", "event")
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
    head: str = "a" * 40
    """The newest commit of pull request 7."""
    head_owner: str = "octo"
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of each commit, the newest first."""
    permissions: dict[str, str] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    """Of loadtest.yml, the newest first."""
    reactions: list[tuple[int, str]] = field(default_factory=list)
    branches: dict[str, dict[str, str]] = field(default_factory=dict)
    """The texts of each branch's files."""
    trees: list[dict[str, str]] = field(default_factory=list)

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

    def add_run(
        self, status: str = "completed", sha: str | None = None, conclusion: str | None = "success"
    ) -> None:
        number = len(self.runs) + 1
        self.runs.insert(
            0,
            {
                "id": number,
                "head_sha": sha or self.head,
                "status": status,
                "conclusion": conclusion if status == "completed" else None,
                "event": "pull_request",
                "html_url": f"https://github.example/octo/service/actions/runs/{number}",
                "rerun_url": f"{self.url}/repos/octo/service/actions/runs/{number}/rerun",
                "url": f"{self.url}/repos/octo/service/actions/runs/{number}",
            },
        )

    def pull_request(self) -> dict[str, Any]:
        return {
            "number": 7,
            "head": {"sha": self.head, "ref": "feature", "user": {"login": self.head_owner}},
            "url": f"{self.url}/repos/octo/service/pulls/7",
        }

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


def _beside_comments(fake: FakeGitHub, method: str, path: str, sent: dict[str, Any]) -> Answer | None:
    rest, _, query = path.removeprefix(_REPOSITORY).partition("?")
    wanted = {name: unquote(value) for name, value in (pair.split("=") for pair in query.split("&") if pair)}
    match method, rest.split("/"):
        case "GET", ["pulls", *number]:
            there = wanted == {"head": f"{fake.head_owner}:feature", "state": "open", "per_page": "100"}
            listed = [fake.pull_request()] if there else []
            return 200, fake.pull_request() if number == ["7"] else listed, {}
        case "GET", ["collaborators", login, "permission"]:
            return 200, {"permission": fake.permissions.get(login, "none")}, {}
        case "GET", ["statuses", commit]:
            return 200, fake.statuses.get(commit, []), {}
        case "POST", ["statuses", commit]:
            if len(sent["description"]) > 140 or sent["state"] not in _STATES:
                return 422, {"message": "Validation Failed"}, {}
            fake.statuses.setdefault(commit, []).insert(0, sent)
            return 201, sent, {}
        case "POST", ["issues", "comments", number, "reactions"]:
            fake.reactions.append((int(number), sent["content"]))
            return 201, {"id": 1, "content": sent["content"]}, {}
        case method, ["actions", *rest]:
            return _of_actions(fake, method, rest, wanted)
        case method, ["contents" | "git" as kind, what]:
            given = {**wanted, **sent}
            return _of_git(fake, what, sent) if kind == "git" else _of_contents(fake, method, what, given)
    return None


def _of_contents(fake: FakeGitHub, method: str, path: str, wanted: dict[str, Any]) -> Answer:
    files = fake.branches.get(wanted.get("ref") or wanted["branch"])
    if files is None or (method == "GET" and path not in files):
        return NOT_FOUND
    if method == "GET":
        content = base64.b64encode(files[path].encode()).decode()
        found = {
            "path": path,
            "type": "file",
            "encoding": "base64",
            "content": content,
            "sha": _sha(files[path]),
        }
        return 200, found, {}
    if path in files and wanted.get("sha") != _sha(files[path]):
        return 409, {"message": "does not match"}, {}
    files[path] = base64.b64decode(wanted["content"]).decode()
    return 200, {"content": {"path": path}, "commit": {"sha": "d" * 40}}, {}


def _of_git(fake: FakeGitHub, kind: str, sent: dict[str, Any]) -> Answer:
    """A tree of one commit without a parent, and the branch that begins with it."""
    if kind == "trees":
        fake.trees.append({one["path"]: one["content"] for one in sent["tree"]})
    elif kind == "commits" and sent["parents"]:
        return 422, {"message": "a parent was not expected"}, {}
    elif kind == "refs":
        fake.branches[sent["ref"].removeprefix("refs/heads/")] = fake.trees[-1]
    return 201, {"sha": "e" * 40, "ref": sent.get("ref"), "tree": {"sha": "e" * 40}}, {}


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _of_actions(fake: FakeGitHub, method: str, rest: list[str], wanted: dict[str, str]) -> Answer | None:
    match method, rest:
        case "GET", ["workflows", "loadtest.yml"]:
            return 200, {"id": 1, "url": f"{fake.url}/repos/octo/service/actions/workflows/loadtest.yml"}, {}
        case "GET", ["workflows", "loadtest.yml", "runs"]:
            runs = [run for run in fake.runs if all(run[name] == wanted[name] for name in _FILTERS)]
            return 200, {"total_count": len(runs), "workflow_runs": runs}, {}
        case "POST", ["runs", number, "rerun"]:
            run = next(run for run in fake.runs if run["id"] == int(number))
            run["status"] = "queued"
            return 201, {}, {}
    return None


def _carry_out(fake: FakeGitHub, method: str, path: str, sent: dict[str, Any]) -> Answer:
    if path == "/api/graphql":
        return 200, {"data": {"viewer": {"login": LOGIN}}}, {}
    if path.startswith(_REPOSITORY) and (answer := _beside_comments(fake, method, path, sent)):
        return answer
    if found := _COMMENTS.fullmatch(path):
        if method == "GET":
            return _page(fake, found["query"] or "")
        return 201, fake.comments[fake.add(sent["body"])], {}
    if (found := _COMMENT.fullmatch(path)) and (number := int(found["number"])) in fake.comments:
        if method == "GET":
            return 200, fake.comments[number], {}
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

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815 -- http.server asks for them

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
