// An OpenID-certified authorization server, `oidc-provider`, on a free loopback port, with a person's consent given by role.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { Provider, errors } from 'oidc-provider';

// What each user may be granted. Their subjects are their names.
const ROLES = {
  alice: ['create:todos'],
  admin: ['create:todos', 'read:todos', 'delete:todos'],
};
const OIDC_SCOPES = ['openid', 'profile', 'email'];

// A client of this server that may introspect. The secret has what basic authentication has to escape (RFC 6749 section 2.3.1).
export const RESOURCE_SERVER = { id: 'rs', secret: 'to: be % escaped+' };

// It warns at every start that it keeps everything in memory, which is right here.
const { warn } = console;
console.warn = (text, ...more) => String(text).includes('in-memory adapter') || warn(text, ...more);

function signingKey(algorithm) {
  const { privateKey } =
    algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: algorithm, use: 'sig' };
}

export class Issuer {
  /** Requests so far, by path without that of the issuer. */
  requests = {};
  /** In seconds. */
  lifetime = 600;
  /** MCP servers that tokens are issued for. */
  resources = new Set();

  #http;
  #path;
  #format;
  #keys;
  #provider;
  #answer;

  /**
   * Starts one. `format` says what access tokens look like: 'jwt' or 'opaque', both issued for a resource (RFC 8707), or 'any-resource':
   * opaque ones for which the `resource` parameter is ignored, because a userinfo endpoint refuses tokens that are for somebody else.
   */
  static async start({ path = '', algorithm = 'RS256', format = 'jwt' } = {}) {
    const issuer = new Issuer();
    issuer.#path = path;
    issuer.#format = format;
    issuer.#http = createServer((request, response) => issuer.#serve(request, response));
    await new Promise((listening) => issuer.#http.listen(0, 'localhost', listening));
    issuer.url = `http://localhost:${issuer.#http.address().port}${path}`;
    issuer.#signWith([signingKey(algorithm)]);
    return issuer;
  }

  /** Signs with a new key from now on. The old ones stay in the key set, or go. */
  rotate(algorithm, { keepOld }) {
    this.#signWith([signingKey(algorithm), ...(keepOld ? this.#keys : [])]);
  }

  async stop() {
    this.#http.closeAllConnections();
    await new Promise((closed) => this.#http.close(closed));
  }

  /** Takes the first key for access tokens. Clients, sessions and grants are kept elsewhere, and stay. */
  #signWith(keys) {
    this.#keys = keys;
    const algorithm = keys[0].alg;
    const withResources = this.#format !== 'any-resource';
    const resourceScopes = withResources ? ROLES.admin : [];
    this.#provider = new Provider(this.url, {
      jwks: { keys },
      clientDefaults: { id_token_signed_response_alg: algorithm },
      clients: [
        {
          client_id: RESOURCE_SERVER.id,
          client_secret: RESOURCE_SERVER.secret,
          redirect_uris: [],
          response_types: [],
          grant_types: [],
        },
      ],
      // The only ones that a client may name when it registers, as the official ones do.
      scopes: [...OIDC_SCOPES, ...resourceScopes],
      claims: { profile: ['name'], email: ['email'] },
      cookies: { keys: ['only for tests'] },
      findAccount: (_, subject) => ({
        accountId: subject,
        claims: () => ({ sub: subject, name: `The user ${subject}`, email: `${subject}@example.com` }),
      }),
      interactions: { url: (_, interaction) => `${this.#path}/interaction/${interaction.uid}` },
      ttl: { AccessToken: () => this.lifetime, Grant: 3600, Interaction: 600, Session: 3600, IdToken: 600 },
      features: {
        devInteractions: { enabled: false },
        introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId === RESOURCE_SERVER.id },
        registration: { enabled: true },
        revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
        resourceIndicators: {
          enabled: withResources,
          getResourceServerInfo: (_, resource) => {
            if (!this.resources.has(resource)) throw new errors.InvalidTarget();
            return {
              audience: resource,
              scope: resourceScopes.join(' '),
              accessTokenTTL: this.lifetime,
              accessTokenFormat: this.#format,
              jwt: { sign: { alg: algorithm, kid: keys[0].kid } },
            };
          },
        },
      },
    });
    this.#answer = this.#provider.callback();
  }

  /** As an application that mounts the provider at a path does. */
  async #serve(request, response) {
    const path = request.url.split('?')[0];
    if (path !== this.#path && !path.startsWith(`${this.#path}/`)) {
      response.writeHead(404).end();
      return;
    }
    request.originalUrl = request.url;
    request.url = request.url.slice(this.#path.length) || '/';
    const inside = path.slice(this.#path.length);
    this.requests[inside] = (this.requests[inside] ?? 0) + 1;
    if (!inside.startsWith('/interaction/')) {
      this.#answer(request, response);
      return;
    }
    try {
      await this.#interact(request, response);
    } catch (error) {
      response.writeHead(500).end(String(error.stack));
    }
  }

  /** Signs in whom the client hints at, and grants what that user's role has. */
  async #interact(request, response) {
    const { prompt, params, session } = await this.#provider.interactionDetails(request, response);
    if (prompt.name === 'login') {
      await this.#provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
      return;
    }
    const grant = new this.#provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    const asked = (params.scope ?? '').split(' ');
    const allowed = asked.filter((scope) => ROLES[session.accountId].includes(scope));
    const denied = asked.filter((scope) => !allowed.includes(scope) && !OIDC_SCOPES.includes(scope));
    grant.addOIDCScope(asked.filter((scope) => OIDC_SCOPES.includes(scope)).join(' '));
    grant.rejectOIDCScope([...allowed, ...denied].join(' '));
    for (const resource of [params.resource ?? []].flat()) {
      grant.addResourceScope(resource, allowed.join(' '));
      grant.rejectResourceScope(resource, denied.join(' '));
    }
    const grantId = await grant.save();
    await this.#provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true });
  }
}
