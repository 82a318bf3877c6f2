const LINKS: readonly (readonly [string, string])[] = [
  ['varz', 'General'],
  ['jsz', 'JetStream'],
  ['connz', 'Connections'],
  ['accountz', 'Accounts'],
  ['accstatz', 'Account Stats'],
  ['subsz', 'Subscriptions'],
  ['routez', 'Routes'],
  ['leafz', 'LeafNodes'],
  ['gatewayz', 'Gateways'],
  ['raftz', 'Raft Groups'],
  ['healthz', 'Health Probe'],
];

/** The page that `/` shows: the endpoints, to click at. */
export function rootPage(version: string, basePath: string): string {
  const links = LINKS.map(
    ([path, title]) => `  <a href=".${basePath}/${path}">${title}<span class="endpoint"> /${path}</span></a><br>`,
  );
  return [
    '<html lang="en">',
    '<head><title>NATS server</title></head>',
    '<body>',
    `  <h1>NATS server v${version}</h1>`,
    ...links,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
