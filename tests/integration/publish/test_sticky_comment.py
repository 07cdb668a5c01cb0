"""The GitHub client against a loopback API: one comment, its own, whatever trouble there is."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from loadtest.errors import PublishError
from loadtest.publish import github_access, sticky_comment
from loadtest.publish.github_access import GitHubAccess
from tests.integration.publish import github_server
from tests.integration.publish.github_server import FakeGitHub, Trouble

TOKEN = "ghs_planted_secret"
MARKER = "<!-- loadproof:ci -->"
OLD, NEW = f"{MARKER}\nold", f"{MARKER}\nnew"
NOW_UNIX_S = 1_770_000_000.0


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github_server.running() as server:
        yield server


class Poster:
    """Posts the new comment and remembers how long it would have slept."""

    def __init__(self, fake: FakeGitHub) -> None:
        self.access = GitHubAccess(api_url=fake.url, token=TOKEN, repository="octo/service")
        self.slept_s: list[float] = []

    def __call__(self) -> str:
        return github_access.ask(
            self.access,
            partial(sticky_comment.post, pull_request=7, compose=lambda there: NEW, marker=MARKER),
            failed="no comment posted",
            permission="pull-requests: write",
            sleep=self.slept_s.append,
            now_unix_s=lambda: NOW_UNIX_S,
        )


@pytest.fixture
def post(fake: FakeGitHub) -> Poster:
    return Poster(fake)


def test_the_first_run_creates_the_comment(fake: FakeGitHub, post: Poster) -> None:
    assert post() == "comment posted: https://github.example/octo/service/pull/7#issuecomment-1"
    assert fake.bodies() == {1: NEW}
    assert fake.tokens == {f"token {TOKEN}"} or fake.tokens == {f"Bearer {TOKEN}"}


def test_the_next_run_updates_it(fake: FakeGitHub, post: Poster) -> None:
    own = fake.add(OLD)
    assert post() == f"comment updated: https://github.example/octo/service/pull/7#issuecomment-{own}"
    assert fake.bodies() == {own: NEW}


def test_the_comment_is_found_on_a_later_page(fake: FakeGitHub, post: Poster) -> None:
    for number in range(250):
        fake.add(f"chatter {number}", login="someone")
    own = fake.add(OLD)
    post()
    assert fake.bodies()[own] == NEW
    assert fake.count("GET") == 3, "251 comments at 100 a page"
    assert len(fake.comments) == 251


@pytest.mark.parametrize("login", ["someone", None])
def test_a_comment_by_someone_else_with_the_same_marker_is_untouched(
    fake: FakeGitHub, post: Poster, login: str | None
) -> None:
    others = fake.add(OLD, login=login)
    post()
    assert fake.bodies() == {others: OLD, others + 1: NEW}


def test_an_own_comment_that_only_quotes_the_marker_is_untouched(fake: FakeGitHub, post: Poster) -> None:
    quoting = f"<!-- loadproof:other -->\n```\n{MARKER}\n```"
    other_stack = fake.add(quoting)
    post()
    assert fake.bodies() == {other_stack: quoting, other_stack + 1: NEW}


def test_the_marker_is_found_where_lines_end_as_browsers_end_them(fake: FakeGitHub, post: Poster) -> None:
    own = fake.add(f"{MARKER}\r\nold")
    post()
    assert fake.bodies() == {own: NEW}


def test_of_two_own_comments_the_oldest_stays(fake: FakeGitHub, post: Poster) -> None:
    oldest, _ = fake.add(OLD), fake.add(OLD)
    chatter = fake.add("chatter", login="someone")
    post()
    assert fake.bodies() == {oldest: NEW, chatter: "chatter"}


def test_a_comment_deleted_meanwhile_is_created_anew(fake: FakeGitHub, post: Poster) -> None:
    fake.add(OLD)
    fake.deleted_on_update = True
    assert post().startswith("comment posted: ")
    assert list(fake.bodies().values()) == [NEW]


@pytest.mark.parametrize(
    ("trouble", "waited_s"),
    [
        (Trouble(method="GET", status=403, headers={"Retry-After": "7"}), 7),
        (Trouble(method="GET", status=429, headers={"Retry-After": "9"}), 9),
        (
            Trouble(
                method="GET",
                status=403,
                message="API rate limit exceeded for installation ID 1.",
                headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW_UNIX_S) + 30)},
            ),
            31,
        ),
        (Trouble(method="POST", status=403, message="You have exceeded a secondary rate limit."), 60),
        (Trouble(method="GET", status=500), 1),
        (Trouble(method="POST", status=502, body=b"<html>bad gateway</html>"), 1),
    ],
)
def test_a_short_trouble_is_waited_out(
    fake: FakeGitHub, post: Poster, trouble: Trouble, waited_s: float
) -> None:
    fake.troubles = [trouble]
    assert post().startswith("comment posted: ")
    assert post.slept_s == [waited_s]
    assert fake.bodies() == {1: NEW}


def test_a_comment_created_though_its_answer_got_lost_is_not_created_twice(
    fake: FakeGitHub, post: Poster
) -> None:
    fake.troubles = [Trouble(method="POST", status=502, carried_out=True)]
    assert post().startswith("comment updated: ")
    assert fake.bodies() == {1: NEW}


def test_waits_grow_and_attempts_end(fake: FakeGitHub, post: Poster) -> None:
    fake.troubles = [Trouble(method="GET", status=503)] * 9
    with pytest.raises(PublishError, match="GitHub answered 503"):
        post()
    assert post.slept_s == [1, 2, 4]


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "3600"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW_UNIX_S) + 3_000)},
    ],
)
def test_a_long_rate_limit_is_not_waited_for(fake: FakeGitHub, post: Poster, headers: dict[str, str]) -> None:
    fake.troubles = [Trouble(method="GET", status=403, headers=headers)] * 9
    with pytest.raises(PublishError, match="rate limit is reached"):
        post()
    assert (fake.count("GET"), post.slept_s) == (1, [])


def test_all_waits_together_are_bounded(fake: FakeGitHub, post: Poster) -> None:
    fake.troubles = [Trouble(method="GET", status=429, headers={"Retry-After": "55"})] * 9
    with pytest.raises(PublishError, match="rate limit is reached"):
        post()
    assert post.slept_s == [55]


@pytest.mark.parametrize(
    ("status", "message", "hint"),
    [
        (401, "Bad credentials", "still valid"),
        (403, "Resource not accessible by integration", "pull-requests: write"),
        (404, "Not Found", "such a pull request"),
    ],
)
def test_a_refusal_is_not_tried_again_and_says_what_to_do(
    fake: FakeGitHub, post: Poster, status: int, message: str, hint: str
) -> None:
    fake.troubles = [Trouble(method="GET", status=status, message=message)] * 9
    with pytest.raises(PublishError, match=str(status)) as caught:
        post()
    assert hint in caught.value.hint
    assert fake.count("GET") == 1


def test_a_server_that_is_not_there_is_said_so(post: Poster) -> None:
    post.access = replace(post.access, api_url="http://127.0.0.1:9/api/v3")
    with pytest.raises(PublishError, match="GitHub does not answer"):
        post()
    assert post.slept_s == [1, 2, 4]


def test_the_token_is_in_no_text_of_ours(
    fake: FakeGitHub, post: Poster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    fake.troubles = [Trouble(method="GET", status=401, message="Bad credentials")]
    with pytest.raises(PublishError) as caught:
        post()
    post()
    assert caplog.records, "the client did log, so the absence below says something"
    for text in (repr(post.access), str(caught.value), repr(caught.value.__cause__), caplog.text):
        assert TOKEN not in text
