import { type GoStruct, parseGoStruct } from './go-json.ts';
import { GoJsonError } from './go-json-scan.ts';
import { SUBJECT_PERMISSION } from './subject-permission.ts';

const INFO: GoStruct = {
  name: 'Info',
  fields: {
    server_id: 'string',
    server_name: 'string',
    version: 'string',
    proto: 'int',
    git_commit: 'string',
    go: 'string',
    host: 'string',
    port: 'int',
    headers: 'bool',
    auth_required: 'bool',
    tls_required: 'bool',
    tls_verify: 'bool',
    tls_available: 'bool',
    max_payload: 'int32',
    jetstream: 'bool',
    ip: 'string',
    client_id: 'uint64',
    client_ip: 'string',
    nonce: 'string',
    cluster: 'string',
    cluster_dynamic: 'bool',
    domain: 'string',
    connect_urls: '[]string',
    ws_connect_urls: '[]string',
    ldm: 'bool',
    compression: 'string',
    connect_info: 'bool',
    remote_account: 'string',
    acc_is_sys: 'bool',
    api_lvl: 'int',
    import: SUBJECT_PERMISSION,
    export: SUBJECT_PERMISSION,
    lnoc: 'bool',
    lnocu: 'bool',
    info_on_connect: 'bool',
    route_pool_size: 'int',
    route_pool_idx: 'int',
    route_account: 'string',
    route_acc_add_reqid: 'string',
    gossip_mode: 'uint8',
    gateway: 'string',
    gateway_urls: '[]string',
    gateway_url: 'string',
    gateway_cmd: 'uint8',
    gateway_nrp: 'bool',
    gateway_iom: 'bool',
    leafnode_urls: '[]string',
    xkey: 'string',
  },
};

/**
 * Checks the JSON of an INFO that a client sent. nats-server reads it and then ignores it, so only an error matters: its
 * text is for the log, the client gets no -ERR, only a close. null = fine. Source: spec/core.md 1.1.
 */
export function checkClientInfo(json: string): string | null {
  try {
    parseGoStruct(json, INFO, {});
    return null;
  } catch (error) {
    if (error instanceof GoJsonError) return error.message;
    throw error;
  }
}
