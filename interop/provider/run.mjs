// The example servers against an OpenID-certified authorization server, each as its own process. One line per check.
// Usage: node run.mjs, from the root of the repository, after `cargo build -p todo-manager -p whoami`.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { Issuer, RESOURCE_SERVER } from './issuer.mjs';
import { McpServer, freePort, output } from './mcp_server.mjs';
import { revoke, signIn } from './person.mjs';

const INTROSPECTION = {
  MCP_AUTH_INTROSPECTION_CLIENT_ID: RESOURCE_SERVER.id,
  MCP_AUTH_INTROSPECTION_CLIENT_SECRET: RESOURCE_SERVER.secret,
};
const MODES = {
  jwt: { format: 'jwt', flags: ['--mode', 'jwt'] },
  introspection: { format: 'opaque', flags: ['--mode', 'introspection'], variables: INTROSPECTION },
  userinfo: { format: 'any-resource', flags: ['--mode', 'userinfo', '--insecure-no-audience-check'] },
};
// Under a path this authorization server has no RFC 8414 metadata where RFC 8414 looks for it, so `oauth` is for the root alone.
const ISSUERS = [
  { path: '', algorithm: 'RS256', serverType: 'auto' },
  { path: '', algorithm: 'ES256', serverType: 'oauth' },
  { path: '/oidc', algorithm: 'RS256', serverType: 'oidc' },
  { path: '/realms/todo', algorithm: 'ES256', serverType: 'auto' },
];

let open = [];

/** Prints how an action ends, and stops what it started. One that hangs fails alone. */
async function check(name, action, kind = 'certified issuer') {
  const late = sleep(60_000, undefined, { ref: false }).then(() => assert.fail('not done after 60 s'));
  try {
    await Promise.race([action(), late]);
    console.log(`ok      ${kind}: ${name}`);
  } catch (error) {
    console.log(`FAILED  ${kind}: ${name}: ${error.stack ?? error}`);
    process.exitCode = 1;
  }
  await Promise.all(open.map((one) => one.stop()));
  open = [];
}

async function issuer(options) {
  const started = await Issuer.start(options);
  open.push(started);
  return started;
}

/** Starts an example server that trusts an issuer, and tells the issuer of it. */
async function server(program, issuer, { flags = [], variables } = {}) {
  const started = await McpServer.start(program, ['--issuer', issuer.url, ...flags], variables);
  open.push(started);
  for (const resource of started.resources) issuer.resources.add(resource);
  return started;
}

/** Changes a character near the end. Not the last one, which may carry bits that nobody reads. */
function tampered(token) {
  const at = token.length - 3;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

/** The algorithm that a JWT says it is signed by. */
const algorithmOf = (token) => JSON.parse(Buffer.from(token.value.split('.')[0], 'base64url')).alg;

/** Waits until a request gets its final answer, which an outage's status is not. */
async function settled(request, seconds) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await request();
    if (answer.status !== 503) return answer;
    assert.ok(answer.headers.get('retry-after'), '503 says when to come back');
    assert.ok(Date.now() < deadline, `still 503 after ${seconds} s`);
    await sleep(100);
  }
}

for (const { path, algorithm, serverType } of ISSUERS) {
  const place = `${algorithm}, issuer ${path ? `at ${path}` : 'without a path'}, --server-type ${serverType}`;

  for (const [mode, { format, flags, variables }] of Object.entries(MODES)) {
    await check(`whoami by ${mode}; ${place}`, async () => {
      const from = await issuer({ path, algorithm, format });
      const mcp = await server('whoami', from, { flags: [...flags, '--server-type', serverType], variables });
      const token = await signIn(mcp.resource, 'alice');
      const claims = await mcp.call(token.value, 'whoami');
      assert.equal(claims.sub, 'alice');
      const kind = { jwt: 3, introspection: 1, userinfo: 1 }[mode];
      assert.equal(token.value.split('.').length, kind, 'parts of the token');
      const expected = {
        jwt: { iss: from.url, aud: mcp.resource },
        introspection: { active: true, iss: from.url, aud: mcp.resource },
        userinfo: { name: 'The user alice', email: 'alice@example.com' },
      }[mode];
      assert.deepEqual({ ...claims, ...expected }, claims);
      for (const bad of ['made-up', tampered(token.value)]) await mcp.refuses(bad, 'whoami');
    });
  }

  await check(`todo manager by jwt: create, get and delete as user and as admin; ${place}`, async () => {
    const from = await issuer({ path, algorithm });
    const mcp = await server('todo-manager', from, { flags: ['--server-type', serverType] });
    await todos(mcp);
    assert.equal(algorithmOf(await signIn(mcp.resource, 'alice')), algorithm);
    assert.equal(from.requests['/jwks'], 1, 'one fetch of the keys');
  });
}

/** What users and admins may do, and that a missing scope is named. */
async function todos(mcp) {
  const [alice, admin] = [await signIn(mcp.resource, 'alice'), await signIn(mcp.resource, 'admin')];
  const less = await signIn(mcp.resource, 'admin', 'read:todos');
  // This issuer gives no token at all to who may have nothing of what was asked for; so something else is.
  const none = await signIn(mcp.resource, 'alice', 'openid delete:todos');
  assert.ok(!none.scope, 'a token without scopes');
  const hers = await mcp.call(alice.value, 'create-todo', { content: 'of alice' });
  const theirs = await mcp.call(admin.value, 'create-todo', { content: 'of admin' });
  assert.deepEqual([hers.ownerId, theirs.ownerId], ['alice', 'admin']);
  const seen = async (token) => (await mcp.call(token.value, 'get-todos')).todos.map((todo) => todo.content);
  assert.deepEqual(await seen(alice), ['of alice']);
  assert.deepEqual(await seen(admin), ['of alice', 'of admin']);
  // A token without a scope claim has no scopes; it is not invalid.
  assert.deepEqual(await seen(none), ['of alice']);
  for (const token of [less, none]) {
    const { status, headers, body } = await mcp.post(token.value, 'create-todo', { content: 'x' });
    assert.equal(status, 403);
    assert.match(headers.get('www-authenticate'), /^Bearer error="insufficient_scope", scope="create:todos( read:todos)?", /);
    assert.deepEqual(body.error.data.missing_scopes, ['create:todos']);
  }
  const { body } = await mcp.post(alice.value, 'delete-todo', { id: theirs.id });
  assert.deepEqual([body.result.isError, body.result.content[0].text], [true, '{"error":"Failed to delete todo"}']);
  assert.deepEqual((await mcp.call(alice.value, 'delete-todo', { id: hers.id })).details, hers);
  assert.deepEqual((await mcp.call(admin.value, 'delete-todo', { id: theirs.id })).details, theirs);
  assert.deepEqual(await seen(admin), []);
  for (const bad of ['made-up', tampered(alice.value)]) await mcp.refuses(bad, 'get-todos');
}

await check('todo manager by introspection: create, get and delete as user and as admin', async () => {
  const mcp = await server('todo-manager', await issuer({ format: 'opaque' }), MODES.introspection);
  await todos(mcp);
});

for (const mode of ['introspection', 'userinfo']) {
  await check(`a revoked token is refused by ${mode}`, async () => {
    const from = await issuer({ format: MODES[mode].format });
    const mcp = await server('whoami', from, MODES[mode]);
    const [kept, revoked] = [await signIn(mcp.resource, 'alice'), await signIn(mcp.resource, 'alice')];
    assert.equal((await mcp.call(revoked.value, 'whoami')).sub, 'alice');
    await revoke(from, revoked);
    await mcp.refuses(revoked.value, 'whoami');
    assert.equal((await mcp.call(kept.value, 'whoami')).sub, 'alice');
  });

  await check(`by ${mode}, an issuer that is gone is an outage, not a bad token`, async () => {
    const from = await issuer({ format: MODES[mode].format });
    const mcp = await server('whoami', from, MODES[mode]);
    const token = await signIn(mcp.resource, 'alice');
    assert.equal((await mcp.call(token.value, 'whoami')).sub, 'alice');
    await from.stop();
    const { status, headers } = await mcp.post(token.value, 'whoami');
    assert.equal(status, 503);
    assert.ok(headers.get('retry-after'));
    assert.equal(headers.get('www-authenticate'), null);
  });
}

// Not by userinfo, where only the issuer knows. This one is lenient for 15 s: until then it introspects an expired token as active.
for (const mode of ['jwt', 'introspection']) {
  await check(`an expired token is refused by ${mode}`, async () => {
    const from = await issuer({ format: MODES[mode].format });
    const mcp = await server('whoami', from, MODES[mode]);
    from.lifetime = 2;
    const token = await signIn(mcp.resource, 'alice');
    assert.equal((await mcp.call(token.value, 'whoami')).sub, 'alice');
    await sleep(2100);
    await mcp.refuses(token.value, 'whoami');
  });
}

for (const mode of ['jwt', 'introspection']) {
  await check(`two resources in one process: a token for one is refused at the other by ${mode}`, async () => {
    const from = await issuer({ format: MODES[mode].format });
    const port = await freePort();
    const resources = ['team', 'home'].map((name) => `http://localhost:${port}/${name}`);
    const flags = ['--port', `${port}`, '--resource', resources[0], '--resource', resources[1], ...MODES[mode].flags];
    const mcp = await server('todo-manager', from, { flags, variables: MODES[mode].variables });
    assert.deepEqual(mcp.resources, resources);
    const [team, home] = await Promise.all(resources.map((resource) => signIn(resource, 'alice')));
    await mcp.call(team.value, 'create-todo', { content: 'shared' }, resources[0]);
    const { todos } = await mcp.call(home.value, 'get-todos', {}, resources[1]);
    assert.deepEqual(todos.map((todo) => todo.content), ['shared'], 'one database');
    await mcp.refuses(team.value, 'get-todos', resources[1]);
    await mcp.refuses(home.value, 'get-todos', resources[0]);
    if (mode === 'jwt') assert.equal(from.requests['/jwks'], 1, 'one key set for both');
  });
}

for (const [first, second] of [['RS256', 'ES256'], ['ES256', 'RS256']]) {
  await check(`keys rotate while the todo manager runs, from ${first} to ${second}`, async () => {
    const from = await issuer({ algorithm: first });
    const mcp = await server('todo-manager', from);
    const old = await signIn(mcp.resource, 'alice');
    await mcp.call(old.value, 'get-todos');

    from.rotate(second, { keepOld: true });
    const newer = await signIn(mcp.resource, 'alice');
    assert.deepEqual([old, newer].map(algorithmOf), [first, second]);
    assert.equal((await settled(() => mcp.post(newer.value, 'get-todos'), 5)).status, 200, 'the new key');
    assert.equal((await mcp.post(old.value, 'get-todos')).status, 200, 'the old key, which is still published');

    from.rotate(first, { keepOld: false });
    const newest = await signIn(mcp.resource, 'alice');
    assert.equal((await settled(() => mcp.post(newest.value, 'get-todos'), 5)).status, 200, 'the newest key');
    for (const removed of [old, newer]) {
      assert.equal((await settled(() => mcp.post(removed.value, 'get-todos'), 6)).status, 401, 'a removed key');
    }
    assert.equal((await mcp.post(newest.value, 'get-todos')).status, 200, 'the newest key, afterwards');
  });
}

for (const [mode, { flags }] of Object.entries(MODES)) {
  const action = async () => {
    const mcp = await McpServer.start('whoami', flags.slice(0, 2));
    open.push(mcp);
    const token = await output('whoami', ['token', 'bob', '--issuer', mcp.issuer]);
    assert.equal((await mcp.call(token, 'whoami')).sub, 'bob');
    for (const bad of ['made-up', tampered(token)]) await mcp.refuses(bad, 'whoami');
  };
  await check(`whoami by ${mode}`, action, 'development issuer');
}
