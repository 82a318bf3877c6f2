import { describe, expect, test } from 'vitest';
import { FLAG_KINDS } from '../src/cli/server-flags.ts';
import { type CommandLine, parseCommandLine, tlsUsageText, usageText } from '../src/server.ts';

const settingsOf = (...args: string[]): unknown => {
  const command = parseCommandLine(args);
  return command.kind === 'run' ? command.flags.settings : command;
};

describe('a start', () => {
  test('without flags sets nothing', () => {
    expect(parseCommandLine([])).toEqual({ kind: 'run', flags: { configFile: '', settings: {}, tls: null } });
  });

  test.each([
    [['-a', 'h'], { host: 'h' }],
    [['--addr=h'], { host: 'h' }],
    [['-net', 'h'], { host: 'h' }],
    [['-p', '-1'], { port: -1 }],
    [['--port=0x10'], { port: 16 }],
    [['-n', 's'], { serverName: 's' }],
    [['--name', 's'], { serverName: 's' }],
    [['--server_name', 's'], { serverName: 's' }],
    [['-m', '1'], { httpPort: 1 }],
    [['--http_port', '1'], { httpPort: 1 }],
    [['-ms', '1'], { httpsPort: 1 }],
    [['--https_port', '1'], { httpsPort: 1 }],
    [['-js'], { jetstream: true }],
    [['--jetstream=false'], { jetstream: false }],
    [['-sd', 'd'], { storeDir: 'd' }],
    [['--store_dir=d'], { storeDir: 'd' }],
    [['-l', 'f'], { logFile: 'f' }],
    [['--log', 'f'], { logFile: 'f' }],
    [['-T=false'], { logtime: false }],
    [['--logtime'], { logtime: true }],
    [['--logtime_utc'], { logtimeUtc: true }],
    [['-D'], { debug: true }],
    [['--debug=f'], { debug: false }],
    [['-V'], { trace: true }],
    [['--trace'], { trace: true }],
    [['-VV'], { trace: true, traceVerbose: true }],
    [['-DV'], { debug: true, trace: true }],
    [['-DVV'], { debug: true, trace: true, traceVerbose: true }],
    [['-P', 'f'], { pidFile: 'f' }],
    [['--pid', 'f'], { pidFile: 'f' }],
    [['--ports_file_dir', 'd'], { portsFileDir: 'd' }],
    [['--user', 'u', '--pass', 'p'], { username: 'u', password: 'p' }],
    [['--auth', 't'], { authorization: 't' }],
    [['--client_advertise', 'a'], { clientAdvertise: 'a' }],
    [['--max_traced_msg_len', '5'], { maxTracedMsgLenBytes: 5 }],
    [['--log_size_limit', '5'], { logSizeLimitBytes: 5 }],
    [['-p', '1', '-p', '2'], { port: 2 }],
    [['-a', '-D'], { host: '-D' }],
    [['-a=x=y'], { host: 'x=y' }],
    [['-D', '--'], { debug: true }],
  ])('%j', (args, settings) => {
    expect(settingsOf(...args)).toEqual(settings);
  });

  test('the combined flags count after all others, as in nats-server', () => {
    expect(settingsOf('-DV=false', '-D', '-V')).toEqual({ debug: false, trace: false });
    expect(settingsOf('-VV', '-V=false', '-DV=false')).toEqual({ debug: false, trace: true, traceVerbose: true });
    expect(settingsOf('-VV=false', '-DVV')).toEqual({ debug: true, trace: false, traceVerbose: false });
  });

  test.each([
    [['--tls'], { enabled: true, certFile: '', keyFile: '', caFile: '', verify: false }],
    [
      ['--tlscert', 'c', '--tlskey=k', '--tlscacert', 'a', '--tlsverify'],
      { enabled: true, certFile: 'c', keyFile: 'k', caFile: 'a', verify: true },
    ],
    [['--tls=false', '--tlscert', 'c'], { enabled: false, certFile: 'c', keyFile: '', caFile: '', verify: false }],
    [['-D'], null],
  ])('TLS of %j', (args, tls) => {
    const command = parseCommandLine(args);
    expect(command.kind === 'run' && command.flags.tls).toEqual(tls);
  });

  test.each([['-c', 'f'], ['--config', 'f'], ['-config=f'], ['-c', 'x', '--config', 'f']])(
    'the file of %j',
    (...args) => {
      const command = parseCommandLine(args);
      expect(command.kind === 'run' && command.flags.configFile).toBe('f');
    },
  );
});

describe('anything else', () => {
  test.each<[string[], CommandLine['kind']]>([
    [['-t', '-c', 'f'], 'check'],
    [['-t=false', '-c', 'f'], 'run'],
    [['--about'], 'about'],
    [['-v'], 'version'],
    [['version'], 'version'],
    [['-v', '--about'], 'version'],
    [['-h'], 'help'],
    [['Help'], 'help'],
    [['--help_tls'], 'help'],
    [['-v', 'foo'], 'version'],
    [['foo'], 'error'],
  ])('%j is %s', (args, kind) => {
    expect(parseCommandLine(args).kind).toBe(kind);
  });

  test.each([
    '-s',
    '--syslog',
    '-r=udp://localhost:514',
    '--remote_syslog=x',
    '-sl=stop',
    '--signal=stop',
    '--routes=nats://h:1',
    '--cluster=nats://h:1',
    '--cluster_listen=nats://h:1',
    '--cluster_name=c',
    '--cluster_advertise=a',
    '--no_advertise',
    '--connect_retries=5',
    '--profile=5',
  ])('%s is refused by its name', (flag) => {
    const name = /^-+([a-z_]+)/.exec(flag)![1];
    expect(parseCommandLine([flag])).toEqual({
      kind: 'error',
      message: `nats-server: flag -${name} is not supported yet by nats-ts`,
      usage: null,
      exitCode: 1,
    });
  });

  test('a switch of a later time that is off asks for nothing', () => {
    expect(parseCommandLine(['--no_advertise=false', '-s=false']).kind).toBe('run');
  });

  test('an unknown flag ends well, with the usage, as in Go', () => {
    expect(parseCommandLine(['--nope=1'], 'natsd')).toEqual({
      kind: 'error',
      message: 'flag provided but not defined: -nope',
      usage: usageText('natsd'),
      exitCode: 0,
    });
  });

  test('the name of the program begins a message', () => {
    const command = parseCommandLine(['foo'], 'natsd');
    expect(command.kind === 'error' && command.message).toBe('natsd: unrecognized command: "foo"');
  });
});

describe('the usage', () => {
  const usage = usageText('natsd');
  const served = [...FLAG_KINDS.keys()].filter((name) => {
    const { kind } =
      FLAG_KINDS.get(name) === 'bool' ? parseCommandLine([`-${name}`]) : parseCommandLine([`-${name}=1`]);
    return kind !== 'error' || name === 't';
  });

  test('lists every flag that works and no other', () => {
    const listed = usage.match(/(?<=^|[ ,])--?[A-Za-z_]+/gm)!.map((flag) => flag.replace(/^-+/, ''));
    expect(listed.toSorted()).toEqual(served.toSorted());
  });

  test('of TLS lists the suites that can be used', () => {
    expect(tlsUsageText()).toContain('    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n');
    expect(tlsUsageText()).not.toContain('RC4');
  });
});
