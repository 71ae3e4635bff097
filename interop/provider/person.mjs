// A person with a browser, and the official client that sends them away to sign in.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { auth, extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';

// Nobody listens there: the test reads the authorization response from the redirect.
const REDIRECT_URI = 'http://localhost:6174/callback';

/** Follows redirects with cookies until the client's redirect URI, and returns the parameters of the authorization response. */
async function browse(url) {
  const cookies = new Map();
  for (let step = 0; step < 10; step += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    const location = response.headers.get('location');
    assert.ok(location, `${url} answers ${response.status}: ${await response.text()}`);
    url = new URL(location, url);
    if (url.href.startsWith(`${REDIRECT_URI}?`)) return url.searchParams;
  }
  throw new Error(`redirects without end at ${url}`);
}

/** The `OAuthClientProvider` of the official client, for one user. */
class Person {
  redirectUrl = REDIRECT_URI;
  clientMetadata = {
    client_name: 'Interoperability test',
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  #state = randomUUID();
  #verifier;

  constructor(user) {
    this.user = user;
  }

  state = () => this.#state;
  clientInformation = () => this.client;
  saveClientInformation = (client) => void (this.client = client);
  tokens = () => undefined;
  saveTokens = (tokens) => void (this.saved = tokens);
  codeVerifier = () => this.#verifier;
  saveCodeVerifier = (verifier) => void (this.#verifier = verifier);

  async redirectToAuthorization(url) {
    this.asked = Object.fromEntries(url.searchParams);
    url.searchParams.set('login_hint', this.user);
    this.response = await browse(url);
    assert.equal(this.response.get('state'), this.#state, 'state of the authorization response');
  }
}

/**
 * Gets a token as a client does that has only the URL of the MCP server: challenge, protected resource metadata, authorization server
 * metadata, registration, authorization code with PKCE and resource indicator, token.
 */
export async function signIn(resource, user, scope) {
  const refusal = await fetch(resource, { method: 'POST' });
  assert.equal(refusal.status, 401, 'without a token');
  const challenge = extractWWWAuthenticateParams(refusal);
  const person = new Person(user);
  const target = { serverUrl: resource, scope: scope ?? challenge.scope, resourceMetadataUrl: challenge.resourceMetadataUrl };
  assert.equal(await auth(person, target), 'REDIRECT');
  const { asked, response } = person;
  assert.deepEqual([asked.code_challenge_method, asked.resource], ['S256', resource]);
  const code = response.get('code');
  assert.ok(code, `the authorization response is ${response}`);
  assert.equal(await auth(person, { ...target, authorizationCode: code }), 'AUTHORIZED');
  return { value: person.saved.access_token, scope: person.saved.scope, clientId: person.client.client_id };
}

/** RFC 7009, by the client that got the token. */
export async function revoke(issuer, token) {
  const metadata = await (await fetch(`${issuer.url}/.well-known/openid-configuration`)).json();
  const answer = await fetch(metadata.revocation_endpoint, {
    method: 'POST',
    body: new URLSearchParams({ token: token.value, client_id: token.clientId }),
  });
  assert.equal(answer.status, 200, await answer.text());
}
