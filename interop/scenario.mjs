// What every TypeScript client goes through, and the person at the browser that it sends away to sign in.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

// Nobody listens there: the test reads the authorization response from the redirect.
const REDIRECT_URI = 'http://localhost:6174/callback';
const ALL_SCOPES = 'create:todos read:todos delete:todos';

/** Signs in as a browser does, and returns the parameters of the authorization response. */
async function signIn(authorizationUrl, user) {
  const page = await fetch(authorizationUrl, { redirect: 'manual' });
  assert.equal(page.status, 200, `sign-in page of ${authorizationUrl}`);
  const request = /name="request" value="([^"]+)"/.exec(await page.text())?.[1];
  assert.ok(request, 'the sign-in page has a form');
  const answer = await fetch(new URL('/authorize', authorizationUrl), {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: page.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; '), origin: authorizationUrl.origin },
    body: new URLSearchParams({ request, user, decision: 'allow' }),
  });
  const location = answer.headers.get('location') ?? '';
  assert.ok(location.startsWith(`${REDIRECT_URI}?`), `the form is answered by ${answer.status} to "${location}"`);
  return new URL(location).searchParams;
}

/** The `OAuthClientProvider` of both SDK generations, with a person who grants what is asked for, or less. */
class Person {
  #saved = {};

  constructor(user, grants) {
    this.user = user;
    this.grants = grants;
  }

  redirectUrl = REDIRECT_URI;
  clientMetadata = {
    client_name: 'Interoperability test',
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  state = () => (this.#saved.state = randomUUID());
  clientInformation = () => this.#saved.client;
  saveClientInformation = (client) => void (this.#saved.client = client);
  tokens = () => this.#saved.tokens;
  saveTokens = (tokens) => void (this.#saved.tokens = tokens);
  codeVerifier = () => this.#saved.verifier;
  saveCodeVerifier = (verifier) => void (this.#saved.verifier = verifier);
  discoveryState = () => this.#saved.discovery;
  saveDiscoveryState = (discovery) => void (this.#saved.discovery = discovery);

  async redirectToAuthorization(url) {
    this.authorization = Object.fromEntries(url.searchParams);
    if (this.grants) url.searchParams.set('scope', this.grants);
    this.response = await signIn(url, this.user);
    assert.equal(this.response.get('state'), this.#saved.state, 'state of the authorization response');
  }
}

/** A connected client, and every exchange it had. */
class Session {
  wire = [];

  static async connect(sdk, url, person) {
    const session = new Session();
    session.sdk = sdk;
    session.person = person;
    await session.authorized(async () => {
      session.transport = sdk.transport(new URL(url), { authProvider: person, fetch: session.fetch });
      session.client = sdk.client({ name: 'interop', version: '1.0.0' });
      await session.client.connect(session.transport);
    });
    return session;
  }

  fetch = async (url, init) => {
    const response = await fetch(url, init);
    this.wire.push({
      line: `${init?.method ?? 'GET'} ${new URL(url).pathname} ${response.status}`,
      challenge: response.headers.get('www-authenticate') ?? '',
      protocol: new Headers(init?.headers).get('mcp-protocol-version'),
    });
    return response;
  };

  /** The SDK leaves it to the program to come back from the browser, and to repeat what it wanted. */
  async authorized(action) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof this.sdk.UnauthorizedError)) throw error;
      await this.sdk.finish(this.transport, this.person.response);
      return await action();
    }
  }

  call(name, args = {}) {
    return this.authorized(() => this.client.callTool({ name, arguments: args }));
  }

  /** The value of a successful call, which text and structured content hold alike. */
  async value(name, args) {
    const result = await this.call(name, args);
    assert.ok(!result.isError, JSON.stringify(result.content));
    assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
    return result.structuredContent;
  }

  async todos() {
    return (await this.value('get-todos')).todos;
  }
}

const ids = (todos) => todos.map((todo) => todo.id).sort();

async function check(name, action) {
  try {
    await action();
    console.log(`ok      ${name}`);
  } catch (error) {
    console.log(`FAILED  ${name}: ${error.stack ?? error}`);
  }
}

/** Runs all checks against the server whose address is the program's argument. */
export async function scenario(sdk) {
  const url = process.argv[2];
  const is = (name, action) => check(`${sdk.name}: ${name}`, action);
  let alice, admin, reader, hers, theirs, created;

  await is('meets 401, discovers, registers and signs in with PKCE', async () => {
    alice = await Session.connect(sdk, url, new Person('alice'));
    const [first, ...more] = alice.wire;
    assert.equal(first.line, 'POST / 401');
    assert.equal(first.challenge, `Bearer scope="${ALL_SCOPES}", resource_metadata="${url}/.well-known/oauth-protected-resource"`);
    const lines = more.map((exchange) => exchange.line);
    for (const line of [
      'GET /.well-known/oauth-protected-resource 200',
      'GET /.well-known/oauth-authorization-server 200',
      'POST /register 201',
      'POST /token 200',
    ]) {
      assert.ok(lines.includes(line), `${line} in ${lines.join(', ')}`);
    }
    const asked = alice.person.authorization;
    assert.deepEqual([asked.code_challenge_method, asked.resource, asked.scope], ['S256', url, ALL_SCOPES]);
    assert.equal(alice.person.tokens().scope, 'create:todos');
  });
  await is(`speaks ${sdk.protocol} and lists the tools`, async () => {
    const { tools } = await alice.client.listTools();
    assert.deepEqual(tools.map((tool) => tool.name).sort(), ['create-todo', 'delete-todo', 'get-todos']);
    assert.equal(alice.wire.findLast((exchange) => exchange.line === 'POST / 200').protocol, sdk.protocol);
  });
  await is('alice sees only her own items', async () => {
    admin = await Session.connect(sdk, url, new Person('admin'));
    hers = await alice.value('create-todo', { content: 'of alice' });
    theirs = await admin.value('create-todo', { content: 'of admin' });
    assert.deepEqual([hers.ownerId, theirs.ownerId], ['alice', 'admin']);
    assert.deepEqual(ids(await alice.todos()), [hers.id]);
  });
  await is("alice cannot delete admin's item", async () => {
    const result = await alice.call('delete-todo', { id: theirs.id });
    assert.deepEqual([result.isError, result.content[0].text], [true, '{"error":"Failed to delete todo"}']);
  });
  await is("admin sees everybody's items", async () => {
    assert.deepEqual(ids(await admin.todos()), ids([hers, theirs]));
  });
  await is('a client with less than it needs meets 403 and steps up', async () => {
    reader = await Session.connect(sdk, url, new Person('admin', 'read:todos'));
    assert.deepEqual(ids(await reader.todos()), ids([hers, theirs]));
    assert.equal(reader.person.tokens().scope, 'read:todos');
    reader.person.grants = undefined;
    const before = reader.wire.length;
    created = await reader.value('create-todo', { content: 'after stepping up' });
    assert.equal(created.ownerId, 'admin');
    const refusal = reader.wire[before];
    assert.equal(refusal.line, 'POST / 403');
    assert.match(refusal.challenge, /^Bearer error="insufficient_scope".* scope="[^"]*\bcreate:todos\b/);
  });
  await is('after stepping up, a client can do what it could before', async () => {
    assert.deepEqual(ids(await reader.todos()), ids([hers, theirs, created]));
  });
  await is("alice deletes her own item, admin anybody's", async () => {
    const another = await alice.value('create-todo', { content: 'another of alice' });
    assert.deepEqual((await alice.value('delete-todo', { id: another.id })).details, another);
    assert.deepEqual((await admin.value('delete-todo', { id: hers.id })).details, hers);
    for (const { id } of await admin.todos()) await admin.value('delete-todo', { id });
    assert.deepEqual(await admin.todos(), []);
  });
  await Promise.all([alice, admin, reader].map((session) => session?.client.close()));
}
