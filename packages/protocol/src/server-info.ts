/** What the server tells in INFO, in the order nats-server writes the fields. Source: spec/core.md 2.1. */
export interface ServerInfo {
  server_id: string;
  server_name: string;
  version: string;
  proto: number;
  git_commit?: string;
  go: string;
  host: string;
  port: number;
  headers: boolean;
  auth_required?: boolean;
  tls_required?: boolean;
  tls_verify?: boolean;
  tls_available?: boolean;
  /** Bytes; -1 = unlimited. */
  max_payload: number;
  jetstream?: boolean;
  client_id?: number;
  client_ip?: string;
  nonce?: string;
  cluster?: string;
  domain?: string;
  connect_urls?: readonly string[];
  ws_connect_urls?: readonly string[];
  ldm?: boolean;
  /** Second INFO only. */
  connect_info?: boolean;
  remote_account?: string;
  acc_is_sys?: boolean;
  api_lvl?: number;
  xkey?: string;
}
