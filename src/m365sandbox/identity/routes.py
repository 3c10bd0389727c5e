"""The addresses of the identity server and the forms in which they answer."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from . import control, discovery, pages, signin, token
from .problems import Problem
from .state import Identity, redirect_is_registered
from .tenants import resolve


def routes(identity: Identity) -> list[Route]:
    """Every route, for mounting at the root."""
    at = _Addresses(identity)
    return [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", at.configuration),
        Route("/{tenant}/discovery/v2.0/keys", at.keys),
        Route("/{tenant}/oauth2/v2.0/authorize", at.authorize, methods=["GET", "POST"]),
        Route("/{tenant}/signin", at.signin, methods=["POST"]),
        Route("/{tenant}/v2.0/adminconsent", at.admin_consent),
        Route("/{tenant}/oauth2/v2.0/token", at.token, methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/devicecode", at.device_code, methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/logout", at.logout, methods=["GET", "POST"]),
        Route("/oidc/userinfo", at.userinfo, methods=["GET", "POST"]),
        Route("/error", at.error),
        Route("/_sandbox/page.css", _style),
        *control.routes(identity),
    ]


class _Addresses:
    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    def base(self, request: Request) -> str:
        """This server's own address: the configured one, else the host that the client asked."""
        return self.identity.issuer_url or str(request.base_url).rstrip("/")

    async def configuration(self, request: Request) -> Response:
        try:
            audience = resolve(request.path_params["tenant"], directory=self.identity.directory)
        except Problem as problem:
            return self._json_problem(problem, request)
        return JSONResponse(discovery.document(audience=audience, base_url=self.base(request)))

    async def keys(self, request: Request) -> Response:
        try:
            resolve(request.path_params["tenant"], directory=self.identity.directory)
        except Problem as problem:
            return self._json_problem(problem, request)
        return JSONResponse(discovery.keys(identity=self.identity, base_url=self.base(request)))

    async def authorize(self, request: Request) -> Response:
        values = dict(request.query_params)
        if request.method == "POST":
            values = await _form(request)
        return signin.authorize(request, values=values, identity=self.identity, base_url=self.base(request))

    async def signin(self, request: Request) -> Response:
        values = await _form(request)
        return signin.go_on(request, values=values, identity=self.identity, base_url=self.base(request))

    async def admin_consent(self, request: Request) -> Response:
        values = dict(request.query_params)
        return signin.admin_consent(request, values=values, identity=self.identity, base_url=self.base(request))

    async def token(self, request: Request) -> Response:
        try:
            document = token.answer(
                await _form(request),
                segment=request.path_params["tenant"],
                authorization=request.headers.get("authorization", ""),
                identity=self.identity,
                base_url=self.base(request),
            )
        except Problem as problem:
            return self._json_problem(problem, request)
        return JSONResponse(document, headers=_NOT_STORED)

    async def device_code(self, request: Request) -> Response:
        problem = Problem(7000218, {"client_id": (await _form(request)).get("client_id", "")})
        return self._json_problem(problem, request)

    async def logout(self, request: Request) -> Response:
        values = dict(request.query_params) if request.method == "GET" else await _form(request)
        self.identity.end_session(request.cookies.get(signin.COOKIE))
        target = values.get("post_logout_redirect_uri", "")
        known = any(redirect_is_registered(app=app, uri=target) for app in self.identity.directory.apps.values())
        response: Response
        if target and known:
            state = values.get("state")
            joint = "&" if "?" in target else "?"
            response = RedirectResponse(f"{target}{joint}state={state}" if state else target, status_code=302)
        else:
            text = "<h1>You signed out of your account</h1><p>It’s a good idea to close all browser windows.</p>"
            response = pages.page(title="Sign out", body=text)
        response.delete_cookie(signin.COOKIE, path="/")
        return response

    async def userinfo(self, request: Request) -> Response:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        access = self.identity.tokens.check(bearer) if scheme.casefold() == "bearer" else None
        if access is None or access.problem or "openid" not in access.scopes:
            error = {"code": "InvalidAuthenticationToken", "message": "Access token validation failure."}
            return JSONResponse({"error": error}, status_code=401)
        person = access.person
        given, _, family = person.name.rpartition(" ")
        return JSONResponse(
            {
                "sub": person.id,
                "name": person.name,
                "family_name": family,
                "given_name": given or family,
                "email": person.address,
            }
        )

    async def error(self, request: Request) -> Response:
        number = request.query_params.get("code", "")
        problem = Problem(int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 9002313)
        return pages.problem_page(problem, now=self.identity.now())

    def _json_problem(self, problem: Problem, request: Request) -> Response:
        body = problem.body(now=self.identity.now(), base_url=self.base(request))
        return JSONResponse(body, status_code=problem.status, headers=_NOT_STORED)


_NOT_STORED = {"cache-control": "no-store, no-cache", "pragma": "no-cache"}


async def _form(request: Request) -> dict[str, str]:
    """The fields of an urlencoded form; empty when the body is anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/x-www-form-urlencoded":
        return {}
    body = await request.body()
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


async def _style(request: Request) -> Response:
    return Response(pages.STYLE, media_type="text/css", headers={"cache-control": "no-cache"})
