"""The guards, without sockets: nothing but the listed shape of a request passes."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from aimark_daemon.server.guards import (
    Allow,
    Deny,
    RequestFacts,
    Route,
    Verdict,
    cookie_name,
    cookie_values,
    decide,
    route_of,
)

PORT = 8765
OWN = f"127.0.0.1:{PORT}"


class Secrets:
    """Knows one good cookie and one good token."""

    def cookie(self, values: tuple[str, ...]) -> Verdict:
        return Verdict.GOOD if "good" in values else Verdict.WRONG

    def bearer(self, token: str) -> Verdict:
        return Verdict.GOOD if token == "good" else Verdict.WRONG


class Throttled:
    def cookie(self, values: tuple[str, ...]) -> Verdict:
        return Verdict.THROTTLED

    def bearer(self, token: str) -> Verdict:
        return Verdict.THROTTLED


def facts(path="/socket", **kwargs):
    return RequestFacts(**({"method": "GET", "path": path, "hosts": (OWN,)} | kwargs))


words = st.sampled_from(
    [
        OWN,
        f"localhost:{PORT}",
        f"http://{OWN}",
        f"http://localhost:{PORT}",
        "null",
        "",
        "evil.com",
        "Bearer good",
        "Bearer ",
        "bearer good",
        f"aimark_{PORT}=good",
        f"aimark_{PORT}=bad; aimark_{PORT}=good",
        "same-origin",
        "cross-site",
        "same-site",
        "none",
        "navigate",
    ]
) | st.text(max_size=20)
headers = st.lists(words, max_size=3).map(tuple)
requests = st.builds(
    RequestFacts,
    method=st.sampled_from(["GET", "POST", "get", "DELETE", ""]),
    path=st.sampled_from(["/", "/socket", "/login", "/health", "/metrics", "/assets/a.js"]) | st.text(max_size=20),
    hosts=st.just((OWN,)) | headers,
    origins=st.just((f"http://{OWN}",)) | headers,
    cookies=headers,
    authorizations=headers,
    fetch_sites=headers,
    fetch_modes=headers,
)


@given(requests)
@example(facts(origins=(f"http://{OWN}",), cookies=(f"aimark_{PORT}=good",)))
@example(facts(authorizations=("Bearer good",)))
@example(facts("/metrics", authorizations=("Bearer good",)))
@example(facts("/metrics", origins=(f"http://{OWN}",), cookies=(f"aimark_{PORT}=good",)))
def test_whatever_passes_has_our_host_no_foreign_origin_and_for_socket_and_metrics_a_secret(request):
    decision = decide(request, PORT, Secrets())
    if isinstance(decision, Deny):
        assert 400 <= decision.status < 500
        return
    assert request.method == "GET"
    assert len(request.hosts) == 1
    assert request.hosts[0] in {f"{name}:{PORT}" for name in ("127.0.0.1", "[::1]", "localhost")}
    assert request.origins in {(), (f"http://{request.hosts[0]}",)}
    if decision.route is not Route.PAGE:
        assert request.fetch_sites in {(), ("same-origin",), ("none",)}
    if decision.route is Route.LOGIN:
        assert request.fetch_sites == ("same-origin",) or request.origins
    if decision.route is Route.SOCKET:
        by_page = bool(request.origins) and any("=good" in cookie for cookie in request.cookies)
        by_program = not request.origins and request.authorizations == ("Bearer good",)
        assert by_page != by_program
        assert decision.client == ("page" if by_page else "command line")


@given(requests)
@example(facts("/metrics", authorizations=("Bearer good",)))
def test_metrics_are_for_a_program_with_the_token_and_never_for_a_browser(request):
    request = replace(request, path="/metrics")
    decision = decide(request, PORT, Secrets())
    if isinstance(decision, Allow):
        assert decision == Allow(Route.METRICS, "command line")
        assert request.authorizations == ("Bearer good",)
        assert request.origins == request.fetch_sites == request.fetch_modes == ()


@given(st.text(max_size=60))
def test_no_path_names_an_asset_outside_the_assets_folder(path):
    route = route_of("/assets/" + path)
    if route is Route.ASSET:
        assert "/" not in path
        assert "%" not in path
        assert not path.startswith(".")
    else:
        assert route is None


def test_a_path_with_dots_an_encoding_or_a_query_is_unknown():
    for path in ("/assets/../token", "/assets/%2e%2e/token", "/assets/a.js?x", "/assets/", "/assets/a\n", "/./", "/?"):
        assert route_of(path) is None


def test_a_throttled_secret_is_told_to_wait_even_if_it_is_right():
    page = facts(origins=(f"http://{OWN}",), cookies=(f"aimark_{PORT}=good",))
    assert decide(page, PORT, Throttled()) == Deny(429, "too many wrong log-ins")
    for path in ("/socket", "/metrics"):
        assert decide(facts(path, authorizations=("Bearer good",)), PORT, Throttled()).status == 429


def test_a_link_on_another_page_may_lead_to_the_page_but_a_script_or_frame_may_not_load_anything():
    cross = {"fetch_sites": ("cross-site",)}
    assert decide(facts("/", fetch_modes=("navigate",), **cross), PORT, Secrets()) == Allow(Route.PAGE)
    for path in ("/", "/health", "/assets/a.js", "/login", "/metrics"):
        assert decide(facts(path, fetch_modes=("no-cors",), **cross), PORT, Secrets()).status == 403
    assert decide(facts("/health", fetch_modes=("navigate",), **cross), PORT, Secrets()).status == 403


def test_a_page_on_another_port_is_another_site_for_the_log_in():
    assert decide(facts("/login", fetch_sites=("same-site",)), PORT, Secrets()).status == 403
    assert decide(facts("/login", fetch_sites=("same-origin",)), PORT, Secrets()) == Allow(Route.LOGIN)


@given(st.lists(st.tuples(st.sampled_from(["aimark_1", "aimark_8765", "x"]), st.text("abc=.", max_size=5)), max_size=6))
def test_every_value_of_our_cookie_is_found_and_no_other_cookies(pairs):
    header = "; ".join(f"{name}={value}" for name, value in pairs)
    expected = tuple(value for name, value in pairs if name == cookie_name(8765))
    assert cookie_values((header,), cookie_name(8765)) == expected


@given(st.lists(st.text(), max_size=3).map(tuple))
def test_any_cookie_header_can_be_parsed(lines):
    assert len(cookie_values(lines, "aimark_1")) <= 8
