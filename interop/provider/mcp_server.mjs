// One of the example servers as its own process, and the requests of a client that has a token.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const binaries = resolve(process.env.CARGO_TARGET_DIR ?? 'target', 'debug');
const running = new Set();

process.on('exit', () => running.forEach((server) => server.end()));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** A port that was free a moment ago, for a server whose URL has to be known before it starts. */
export async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Runs a program to its end and returns its standard output. No variable of this process reaches it. */
export function output(program, flags) {
  return new Promise((done, failed) => {
    const child = spawn(join(binaries, program), flags, { env: {}, stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 });
    let text = '';
    child.stdout.on('data', (data) => (text += data));
    child.on('error', failed);
    child.on('close', (code) => (code === 0 ? done(text.trim()) : failed(new Error(`${program} ${flags} ends with ${code}`))));
  });
}

export class McpServer {
  #child;
  #folder = mkdtempSync(join(tmpdir(), 'interop-'));

  /** Starts one on a free port, unless the flags name one, and waits for its banner. */
  static async start(program, flags, variables = {}) {
    const server = new McpServer();
    const port = flags.includes('--port') ? [] : ['--port', '0'];
    // In a folder of its own: neither a database nor a policy file of somebody else is found there.
    const options = { cwd: server.#folder, env: variables, stdio: ['ignore', 'pipe', 'pipe'] };
    const child = (server.#child = spawn(join(binaries, program), [...port, ...flags], options));
    running.add(server);
    let banner = '';
    server.log = '';
    child.stderr.on('data', (data) => (server.log += data));
    await new Promise((ready, failed) => {
      const timer = setTimeout(() => failed(new Error(`${program} says nothing`)), 20_000);
      child.stdout.on('data', (data) => {
        banner += data;
        if (!/^ *tokens /m.test(banner)) return;
        clearTimeout(timer);
        ready();
      });
      child.on('error', failed);
      child.on('exit', (code) => failed(new Error(`${program} ${flags} ends with ${code}: ${server.log}`)));
    });
    server.issuer = /^ *issuer *(.*)$/m.exec(banner)[1];
    server.resources = [...banner.matchAll(/^ *MCP endpoint *(.*)$/gm)].map((match) => match[1]);
    return server;
  }

  get resource() {
    return this.resources[0];
  }

  /** Calls a tool and returns the response with its body parsed. */
  async post(token, tool, args = {}, resource = this.resource) {
    const response = await fetch(resource, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}` },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: args } }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
  }

  /** Calls a tool that succeeds, and returns its structured content. */
  async call(token, tool, args, resource) {
    const { status, body } = await this.post(token, tool, args, resource);
    assert.equal(status, 200, JSON.stringify(body));
    assert.ok(!body.result?.isError, JSON.stringify(body));
    return body.result.structuredContent;
  }

  /** Calls a tool with a token that is refused: never with an outage's status, and with a challenge to get another one. */
  async refuses(token, tool, resource) {
    const { status, headers } = await this.post(token, tool, {}, resource);
    assert.equal(status, 401);
    assert.match(headers.get('www-authenticate'), /^Bearer error="invalid_token".* resource_metadata="/);
  }

  async stop() {
    const ended = new Promise((exit) => this.#child.once('exit', exit));
    if (this.#child.exitCode === null && this.#child.kill()) await ended;
    this.end();
  }

  /** Leaves nothing behind, also when there is no time to wait. */
  end() {
    running.delete(this);
    this.#child.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
