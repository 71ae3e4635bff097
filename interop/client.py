"""What the official Python client goes through: 1.x in its only way, 2.x in each of its ways to agree on a protocol version."""

import asyncio
import json
import re
import sys
import traceback
from contextlib import AsyncExitStack, contextmanager
from importlib.metadata import version
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

NEW = version("mcp").startswith("2.")
if NEW:
    import httpx2 as httpx
    from mcp import Client
    from mcp.shared.auth import AuthorizationCodeResult
else:
    import httpx

REDIRECT_URI = "http://localhost:6174/callback"  # nobody listens there: the test reads the response from the redirect
ALL_SCOPES = "create:todos read:todos delete:todos"


class Person:
    """Signs in as a browser does, grants what is asked for, or less, and keeps the client's tokens."""

    def __init__(self, user, grants=None):
        self.user, self.grants = user, grants
        self.tokens = self.client = None

    async def sign_in(self, url):
        parts = urlsplit(url)
        self.asked = dict(parse_qsl(parts.query))
        granted = self.asked | ({"scope": self.grants} if self.grants else {})
        async with httpx.AsyncClient() as browser:  # which keeps cookies
            page = await browser.get(parts._replace(query=urlencode(granted)).geturl())
            form = {"request": re.search(r'name="request" value="([^"]+)"', page.text)[1], "user": self.user, "decision": "allow"}
            origin = f"{parts.scheme}://{parts.netloc}"
            answer = await browser.post(urljoin(origin, "/authorize"), data=form, headers={"Origin": origin})
        location = answer.headers.get("location", "")
        assert location.startswith(f"{REDIRECT_URI}?"), (answer.status_code, location)
        self.response = dict(parse_qsl(urlsplit(location).query))

    async def come_back(self):
        response = self.response
        if NEW:
            return AuthorizationCodeResult(code=response["code"], state=response["state"], iss=response["iss"])
        return response["code"], response["state"]

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Session:
    """A connected client, and every exchange it had."""

    def __init__(self, person):
        self.person, self.wire = person, []

    async def connect(self, stack, url, mode):
        metadata = OAuthClientMetadata(
            client_name="Interoperability test",
            redirect_uris=[REDIRECT_URI],
            grant_types=["authorization_code"],
            token_endpoint_auth_method="none",
        )
        auth = OAuthClientProvider(url, metadata, self.person, self.person.sign_in, self.person.come_back)
        http = httpx.AsyncClient(auth=auth, timeout=30, event_hooks={"response": [self.record]})
        transport = streamable_http_client(url, http_client=await stack.enter_async_context(http))
        if NEW:
            self.client = await stack.enter_async_context(Client(transport, mode=mode))
        else:
            read, write, _ = await stack.enter_async_context(transport)
            self.client = await stack.enter_async_context(ClientSession(read, write))
            await self.client.initialize()
        return self

    async def record(self, response):
        request = response.request
        line = f"{request.method} {request.url.path} {response.status_code}"
        challenge = response.headers.get("www-authenticate", "")
        self.wire.append((line, challenge, request.headers.get("mcp-protocol-version")))

    async def call(self, name, **arguments):
        result = await self.client.call_tool(name, arguments)
        return result.model_dump(mode="json", by_alias=True)

    async def value(self, name, **arguments):
        result = await self.call(name, **arguments)
        assert not result["isError"], result
        same(json.loads(result["content"][0]["text"]), result["structuredContent"])
        return result["structuredContent"]

    async def todos(self):
        return (await self.value("get-todos"))["todos"]


def same(actual, expected):
    assert actual == expected, f"{actual} is not {expected}"


def ids(todos):
    return sorted(todo["id"] for todo in todos)


@contextmanager
def check(name):
    try:
        yield
        print(f"ok      {name}", flush=True)
    except Exception:
        print(f"FAILED  {name}: {traceback.format_exc()}", flush=True)


async def scenario(name, protocol, mode, url):
    async with AsyncExitStack() as stack:

        async def connect(*person):
            return await Session(Person(*person)).connect(stack, url, mode)

        with check(f"{name}: meets 401, discovers, registers and signs in with PKCE"):
            alice = await connect("alice")
            tools = (await alice.client.list_tools()).tools  # the pinned mode sends nothing before
            (line, challenge, _), *more = alice.wire
            same(line, "POST / 401")
            same(challenge, f'Bearer scope="{ALL_SCOPES}", resource_metadata="{url}/.well-known/oauth-protected-resource"')
            expected = {
                "GET /.well-known/oauth-protected-resource 200",
                "GET /.well-known/oauth-authorization-server 200",
                "POST /register 201",
                "POST /token 200",
            }
            same(expected - {line for line, _, _ in more}, set())
            asked = alice.person.asked
            resource = asked["resource"].rstrip("/")  # which 1.x adds
            same([asked["code_challenge_method"], resource, asked["scope"]], ["S256", url, ALL_SCOPES])
            same(alice.person.tokens.scope, "create:todos")
        with check(f"{name}: speaks {protocol} and lists the tools"):
            same(sorted(tool.name for tool in tools), ["create-todo", "delete-todo", "get-todos"])
            same([version for line, _, version in alice.wire if line == "POST / 200"][-1], protocol)
        with check(f"{name}: alice sees only her own items"):
            admin = await connect("admin")
            hers = await alice.value("create-todo", content="of alice")
            theirs = await admin.value("create-todo", content="of admin")
            same([hers["ownerId"], theirs["ownerId"]], ["alice", "admin"])
            same(ids(await alice.todos()), [hers["id"]])
        with check(f"{name}: alice cannot delete admin's item"):
            result = await alice.call("delete-todo", id=theirs["id"])
            same([result["isError"], result["content"][0]["text"]], [True, '{"error":"Failed to delete todo"}'])
        with check(f"{name}: admin sees everybody's items"):
            same(ids(await admin.todos()), ids([hers, theirs]))
        with check(f"{name}: a client with less than it needs meets 403 and steps up"):
            reader = await connect("admin", "read:todos")
            same(ids(await reader.todos()), ids([hers, theirs]))
            same(reader.person.tokens.scope, "read:todos")
            reader.person.grants = None
            before = len(reader.wire)
            created = await reader.value("create-todo", content="after stepping up")
            same(created["ownerId"], "admin")
            line, challenge, _ = reader.wire[before]
            same(line, "POST / 403")
            assert re.match(r'Bearer error="insufficient_scope".* scope="[^"]*\bcreate:todos\b', challenge), challenge
        with check(f"{name}: after stepping up, a client can do what it could before"):
            same(ids(await reader.todos()), ids([hers, theirs, created]))
        with check(f"{name}: alice deletes her own item, admin anybody's"):
            another = await alice.value("create-todo", content="another of alice")
            same((await alice.value("delete-todo", id=another["id"]))["details"], another)
            same((await admin.value("delete-todo", id=hers["id"]))["details"], hers)
            for todo in await admin.todos():
                await admin.value("delete-todo", id=todo["id"])
            same(await admin.todos(), [])


async def main(url):
    if not NEW:
        await scenario("Python 1.x", "2025-11-25", None, url)
        return
    for mode, protocol in [("legacy", "2025-11-25"), ("auto", "2026-07-28"), ("2026-07-28", "2026-07-28")]:
        await scenario(f"Python 2.x {mode}", protocol, mode, url)


asyncio.run(main(sys.argv[1]))
