import { CIPHER_SUITES } from '../server/tls-names.ts';

/** What -h prints: the flags that work, in the layout of nats-server. */
export function usageText(program: string): string {
  return `
Usage: ${program} [options]

Server Options:
    -a, --addr, --net <host>         Address to listen on (default: 0.0.0.0)
    -p, --port <port>                Port for clients (default: 4222, -1: any free port)
    -n, --name
        --server_name <name>         Name of the server (default: its id)
    -P, --pid <file>                 Write the process id to a file
    -m, --http_port <port>           Port for monitoring over HTTP
    -ms,--https_port <port>          Port for monitoring over HTTPS
    -c, --config <file>              Configuration file
    -t                               Check the configuration file and exit
        --client_advertise <host:port>  Address that clients are told to use
        --ports_file_dir <dir>       Write the ports in use to <dir>/<program>_<pid>.ports

Logging Options:
    -l, --log <file>                 Write the log to a file
    -T, --logtime                    Begin lines with the time (default: true)
        --logtime_utc                Times in UTC (default: false)
    -D, --debug                      Log debugging messages
    -V, --trace                      Log the protocol
    -VV                              Log the protocol, the system account's too
    -DV                              Debug and trace
    -DVV                             Debug and trace, the system account's too
        --log_size_limit <bytes>     Rotate the log file at this size (default: never)
        --max_traced_msg_len <len>   Show no more of a traced message (default: all of it)

JetStream Options:
    -js, --jetstream                 Enable JetStream
    -sd, --store_dir <dir>           Directory to store it in

Authorization Options:
        --user <user>                User that clients must give
        --pass <password>            Password of that user
        --auth <token>               Token that clients must give

TLS Options:
        --tls                        Enable TLS, clients need no certificate (default: false)
        --tlscert <file>             Certificate of the server
        --tlskey <file>              Private key of the certificate
        --tlsverify                  Enable TLS, clients must show a certificate
        --tlscacert <file>           Authorities that clients' certificates are checked against

Common Options:
    -h, --help                       Show this
    -v, --version                    Show the version of nats-server this one follows
        --about                      Show the version of this program
        --help_tls                   Show what the tls block of the configuration file takes
`;
}

/** What --help_tls prints. */
export function tlsUsageText(): string {
  const suites = [...CIPHER_SUITES].filter(([, suite]) => suite.openssl !== null);
  const list = (names: Iterable<string>): string => [...names].map((name) => `    ${name}\n`).join('');
  return `
TLS is configured in the tls block of the configuration file:

    tls {
        cert_file:  "./certs/server-cert.pem"
        key_file:   "./certs/server-key.pem"
        ca_file:    "./certs/ca.pem"
        verify:     true
        timeout:    2
        min_version: "1.2"

        cipher_suites: [
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        ]
    }

Cipher suites:
${list(suites.filter(([, suite]) => !suite.insecure).map(([name]) => name))}
Cipher suites that need allow_insecure_cipher_suites:
${list(suites.filter(([, suite]) => suite.insecure).map(([name]) => name))}`;
}
