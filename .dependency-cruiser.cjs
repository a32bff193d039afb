// The walls of docs/architecture.md: imports run one way.
const PURE =
  '^src/(errors|aws_errors|secrets|record|record_decode|archive|backoff|buffer_pool)\\.ts$|^src/(wire|kernel)/';
const PURE_WEB = '^src/web/(web_config|tls_config|cipher_suites|password_hash|yaml_tree|yaml_values|fair_queue)\\.ts$';
const SHARED =
  '^src/(errors|aws_errors|secrets|record|record_decode|archive|backoff|buffer_pool|gzip|folders|socket_lock|option|config|log|metrics)\\.ts$|^src/(wire|kernel)/';
const AWS_CLIENT = '^src/aws_client\\.ts$';
const AWS_SDK = '^node_modules/(@aws-sdk|@smithy)/';

/** A room and all that it may import, besides its own files. */
function wall(name, room, allowed) {
  return { name, severity: 'error', from: { path: room }, to: { path: '^src/', pathNot: [room, ...allowed] } };
}

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '^src/cli\\.ts$' }, to: {} },
    wall('serve-composes', '^src/serve\\.ts$', ['^src/(write|sinks)/|^src/web/door\\.ts$', SHARED]),
    wall('write-knows-sinks-by-the-interface', '^src/write/', ['^src/sinks/sink\\.ts$', SHARED]),
    wall('sinks-stand-alone', '^src/sinks/', [AWS_CLIENT, SHARED]),
    wall('web-stands-alone', '^src/web/', [SHARED]),
    wall('web-reads-settings-purely', PURE_WEB, ['^src/errors\\.ts$']),
    {
      name: 'web-settings-touch-nothing',
      severity: 'error',
      from: { path: PURE_WEB },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'yaml-stays-in-its-file',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/web/yaml_tree\\.ts$' },
      to: { path: '^node_modules/yaml/' },
    },
    wall('healthcheck-knows-config', '^src/healthcheck\\.ts$', ['^src/(config|option)\\.ts$']),
    wall('read-stands-alone', '^src/read/', [AWS_CLIENT, SHARED]),
    wall('log-and-metrics-know-config', '^src/(option|config|log|metrics)\\.ts$', [SHARED]),
    wall('aws-client-knows-errors', AWS_CLIENT, ['^src/errors\\.ts$']),
    wall('pure-knows-pure', PURE, [PURE]),
    { name: 'errors-know-nothing', severity: 'error', from: { path: '^src/errors\\.ts$' }, to: { path: '.' } },
    {
      name: 'pure-touches-nothing',
      severity: 'error',
      comment: 'PURE files take bytes, time and randomness as arguments.',
      from: { path: PURE },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-imports-only-wire-libraries',
      severity: 'error',
      from: { path: PURE },
      to: { path: '^node_modules/', pathNot: '^node_modules/(protobufjs|snappyjs|long)/' },
    },
    {
      name: 'aws-stays-in-its-files',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(aws_client|sinks/(kinesis|firehose)|read/athena)\\.ts$' },
      to: { path: AWS_SDK },
    },
    {
      name: 'each-service-of-aws-knows-its-own-client',
      severity: 'error',
      from: { path: '^src/(?:sinks|read)/(kinesis|firehose|athena)\\.ts$' },
      to: { path: AWS_SDK, pathNot: '^node_modules/@aws-sdk/client-$1/' },
    },
    {
      name: 'aws-client-knows-the-http-handler',
      severity: 'error',
      from: { path: AWS_CLIENT },
      to: { path: AWS_SDK, pathNot: '^node_modules/@smithy/node-http-handler/' },
    },
    {
      name: 'duckdb-stays-in-read',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/read/' },
      to: { path: '^node_modules/@duckdb/' },
    },
    {
      name: 'each-engine-loads-itself-alone',
      severity: 'error',
      comment: 'A query starts one of them, and the server none.',
      from: { path: '^src/read/athena' },
      to: { path: '^(src/read/(duckdb|values|views)\\.ts$|node_modules/@duckdb/)', reachable: true },
    },
    {
      name: 'the-local-engine-knows-no-aws',
      severity: 'error',
      from: { path: '^src/read/(query|duckdb)\\.ts$' },
      to: { path: '^src/aws_client\\.ts$|^node_modules/@aws-sdk/', reachable: true },
    },
    {
      name: 'production-code-imports-production-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
