// The TypeScript SDK 2.x, in each of its ways to agree on a protocol version.

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

import { scenario } from './scenario.mjs';

for (const [name, protocol, mode] of [
  ['legacy', '2025-11-25', 'legacy'],
  ['auto', '2026-07-28', 'auto'],
  ['pinned', '2026-07-28', { pin: '2026-07-28' }],
]) {
  await scenario({
    name: `TypeScript 2.x ${name}`,
    protocol,
    UnauthorizedError,
    client: (info) => new Client(info, { versionNegotiation: { mode } }),
    transport: (url, options) => new StreamableHTTPClientTransport(url, options),
    finish: (transport, response) => transport.finishAuth(response),
  });
}
