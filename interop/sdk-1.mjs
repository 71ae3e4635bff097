// The TypeScript SDK 1.x, which knows only the older protocol versions.

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { scenario } from './scenario.mjs';

await scenario({
  name: 'TypeScript 1.x',
  protocol: '2025-11-25',
  UnauthorizedError,
  client: (info) => new Client(info),
  transport: (url, options) => new StreamableHTTPClientTransport(url, options),
  finish: (transport, response) => transport.finishAuth(response.get('code')),
});
