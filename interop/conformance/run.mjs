// The official conformance suite's scenarios for a protected server, against a running one.
// Usage: ACCESS_TOKEN=… node run.mjs SERVER_URL
// The suite sends no token, so a proxy on loopback adds it. One line per check, as in the other interop tests.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const scenarios = [
  'server-initialize',
  'ping',
  'tools-list',
  'dns-rebinding-protection',
  'http-header-validation',
  'caching',
  'server-stateless',
];

// Checks that a to-do server cannot pass, and why. One that passes all the same is a failure: the list is stale then.
const impossible = {
  'sep-2549-prompts-list-caching-hints': 'has no prompts, and `server-stateless` wants no method for them then',
  'sep-2549-resources-list-caching-hints': 'has no resources',
  'sep-2549-resources-templates-list-caching-hints': 'has no resources',
  'sep-2575-server-rejects-undeclared-capability': 'needs a tool of the suite that asks the client for samples',
  'sep-2575-missing-capability-http-400': 'needs a tool of the suite that asks the client for samples',
  'sep-2575-http-server-no-independent-requests-on-stream': 'needs a tool of the suite that streams',
  'sep-2575-server-no-log-without-loglevel': 'needs a tool of the suite that logs',
};

const target = new URL(process.argv[2]);
const token = process.env.ACCESS_TOKEN;
const here = dirname(fileURLToPath(import.meta.url));
const suite = join(here, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const node22 = join(here, 'node_modules/.bin/node');

const proxy = http.createServer((request, response) => {
  const own = `:${proxy.address().port}`;
  const named = (value) => value?.replace(own, `:${target.port}`);
  const headers = { ...request.headers, host: named(request.headers.host), authorization: `Bearer ${token}` };
  if (headers.origin) headers.origin = named(headers.origin);
  const { hostname, port } = target;
  const forwarded = http.request({ hostname, port, path: request.url, method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  forwarded.on('error', () => response.writeHead(502).end());
  response.on('close', () => forwarded.destroy());
  request.pipe(forwarded);
});
await new Promise((listening) => proxy.listen(0, '127.0.0.1', listening));

function run(scenario) {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const url = `http://localhost:${proxy.address().port}/`;
  const arguments_ = [suite, 'server', '--url', url, '--scenario', scenario, '--output-dir', folder];
  return new Promise((done) => {
    const child = spawn(node22, arguments_, { stdio: 'ignore', timeout: 60_000 });
    child.on('close', () => {
      const results = readdirSync(folder).map((name) => join(folder, name, 'checks.json'));
      const checks = results.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')));
      rmSync(folder, { recursive: true });
      done(checks);
    });
  });
}

let failed = 0;
for (const scenario of scenarios) {
  const checks = await run(scenario);
  // The same check may be made many times; the worst result counts.
  const passes = new Map();
  for (const { id, status, errorMessage } of checks) {
    if (status === 'SUCCESS' && !passes.has(id)) passes.set(id, '');
    if (status === 'FAILURE') passes.set(id, errorMessage ?? 'no reason given');
  }
  if (passes.size === 0) passes.set('anything at all', 'the scenario made no check');
  for (const [id, problem] of passes) {
    const name = `conformance  ${scenario}: ${id}`;
    if (id in impossible) {
      if (problem) console.log(`skipped ${name} (${impossible[id]})`);
      else console.log(`FAILED  ${name}: passes now, take it out of the list`);
      failed += problem ? 0 : 1;
    } else {
      console.log(problem ? `FAILED  ${name}: ${problem}` : `ok      ${name}`);
      failed += problem ? 1 : 0;
    }
  }
}
proxy.close();
proxy.closeAllConnections();
process.exit(failed ? 1 : 0);
