import type { Health } from './jetstream-view.ts';
import type { Params } from './params.ts';
import type { ServerView } from './view.ts';

/** /healthz: status code and body (spec/core.md 8.2). A failure is logged. */
export function healthz(server: ServerView, params: Params): { code: number; body: object } {
  const isEnabled = params.bool('js-enabled');
  if (isEnabled) server.logger.warn('Healthcheck: js-enabled deprecated, use js-enabled-only instead');
  const enabledOnly = params.bool('js-enabled-only') || isEnabled;
  const serverOnly = params.bool('js-server-only');
  params.bool('js-meta-only');
  const details = params.bool('details');
  const account = params.text('account');
  const stream = params.text('stream');
  const consumer = params.text('consumer');
  const failure = (code: number, type: string, text: string): Health =>
    details ? { status: 'error', code, errors: [{ type, error: text }] } : { status: 'error', code, error: text };

  let health: Health;
  if (account === '' && stream !== '') {
    health = failure(400, 'BAD_REQUEST', '"account" must not be empty when checking stream health');
  } else if (stream === '' && consumer !== '') {
    health = failure(400, 'BAD_REQUEST', '"stream" must not be empty when checking consumer health');
  } else if (!server.isReady) {
    health = failure(500, 'CONNECTION', 'failed to be ready for connections after 1ms: server');
  } else if (serverOnly || server.jetstream === null) {
    health = { status: 'ok', code: 200 };
  } else {
    health = server.jetstream.healthz({ account, stream, consumer, details, enabledOnly });
  }
  if (health.error !== undefined) server.logger.warn(`Healthcheck failed: ${JSON.stringify(health.error)}`);
  else if (health.errors !== undefined && health.errors.length > 0) {
    server.logger.warn(`Healthcheck failed: ${health.errors.length} errors`);
  }
  const { code, ...body } = health;
  return { code, body };
}
