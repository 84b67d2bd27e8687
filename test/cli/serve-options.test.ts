import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { brokerConfigs } from '../../ts/broker/broker-config-table.js'
import { formerBrokerKeys } from '../../ts/cli/former-broker-keys.js'
import { type ServeFlags, serveOptions } from '../../ts/cli/serve-options.js'
import { temporaryFolder } from './run-cli.js'

function fileOf(text: string): string {
  const file = join(temporaryFolder(), 'server.properties')
  writeFileSync(file, text)
  return file
}

const of = (flags: ServeFlags = {}, environment: Record<string, string> = {}, file?: string) =>
  serveOptions({ ...flags, ...(file === undefined ? {} : { configFile: fileOf(file) }) }, environment)

const listener = (
  name: string,
  host: string,
  port: number,
  advertised: [string | null, number | null] = [null, null],
) => {
  const [advertisedHost, advertisedPort] = advertised
  return { name, host, port, advertisedHost, advertisedPort }
}

describe('settings', () => {
  test('without any', async () => {
    expect(await of()).toEqual({
      data: './data',
      listeners: [listener('PLAINTEXT', 'localhost', 9092)],
      config: {},
      notes: [],
    })
  })

  test('a flag beats SEGLOG_, that KAFKA_, that the file, that the default', async () => {
    const file = 'num.partitions=5\nlog.dirs=/file\nnode.id=5\nlog.segment.bytes=5000000\nfetch.max.bytes=5000'
    const kafka = {
      KAFKA_NUM_PARTITIONS: '4',
      KAFKA_LOG_DIRS: '/kafka',
      KAFKA_NODE_ID: '4',
      KAFKA_LOG_SEGMENT_BYTES: '4000000',
    }
    const seglog = { SEGLOG_NUM_PARTITIONS: '3', SEGLOG_DATA: '/seglog', SEGLOG_NODE_ID: '3' }
    const flags = { data: '/flag', config: { 'num.partitions': '2' } }
    const { data, config } = await of(flags, { ...kafka, ...seglog }, file)
    expect(data).toBe('/flag')
    expect(config).toEqual({
      'num.partitions': '2',
      'node.id': '3',
      'log.segment.bytes': '4000000',
      'fetch.max.bytes': '5000',
    })
    expect((await of({}, { ...kafka, ...seglog }, file)).data).toBe('/seglog')
    expect((await of({}, kafka, file)).data).toBe('/kafka')
    expect((await of({}, {}, file)).data).toBe('/file')
  })

  test('the file may be named by SEGLOG_CONFIG_FILE', async () => {
    expect((await serveOptions({}, { SEGLOG_CONFIG_FILE: fileOf('log.dir=/x') })).data).toBe('/x')
  })

  test('--no-auto-create-topics', async () => {
    expect((await of({ autoCreateTopics: false })).config).toEqual({ 'auto.create.topics.enable': 'false' })
    expect((await of({ autoCreateTopics: true })).config).toEqual({})
  })

  test('broker.id stands in for node.id, and -1 asks for none', async () => {
    expect((await of({}, { KAFKA_BROKER_ID: '4' })).config).toEqual({ 'node.id': '4' })
    expect((await of({}, { KAFKA_BROKER_ID: '4', KAFKA_NODE_ID: '5' })).config).toEqual({ 'node.id': '5' })
    expect((await of({}, {}, 'broker.id=-1')).config).toEqual({})
  })

  test('log.dirs beats log.dir of the same source only', async () => {
    expect((await of({}, {}, 'log.dir=/a\nlog.dirs=/b')).data).toBe('/b')
    expect((await of({}, { KAFKA_LOG_DIR: '/c' }, 'log.dirs=/b')).data).toBe('/c')
  })
})

describe('listeners', () => {
  test('host, port and advertise', async () => {
    expect((await of({ port: '0' })).listeners).toEqual([listener('PLAINTEXT', 'localhost', 0)])
    expect((await of({ host: '0.0.0.0', advertise: 'broker.example' })).listeners).toEqual([
      listener('PLAINTEXT', '0.0.0.0', 9092, ['broker.example', null]),
    ])
    expect((await of({ host: '[::1]', port: '1', advertise: '[fd00::1]:2' })).listeners).toEqual([
      listener('PLAINTEXT', '::1', 1, ['fd00::1', 2]),
    ])
    expect((await of({ host: '10.0.0.1' }, { SEGLOG_PORT: '7' })).listeners).toEqual([
      listener('PLAINTEXT', '10.0.0.1', 7),
    ])
  })

  test("Kafka's, several and named; what is for controllers stays out", async () => {
    const { listeners, notes } = await of(
      {},
      {
        KAFKA_LISTENERS: 'INTERNAL://0.0.0.0:29092,external://:9092,CONTROLLER://0.0.0.0:9093',
        KAFKA_ADVERTISED_LISTENERS: 'INTERNAL://kafka:29092,EXTERNAL://localhost:19092',
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT',
        KAFKA_INTER_BROKER_LISTENER_NAME: 'INTERNAL',
        KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
        KAFKA_PROCESS_ROLES: 'broker,controller',
        KAFKA_CONTROLLER_QUORUM_VOTERS: '1@kafka:9093',
      },
    )
    expect(listeners).toEqual([
      listener('INTERNAL', '0.0.0.0', 29092, ['kafka', 29092]),
      listener('EXTERNAL', '', 9092, ['localhost', 19092]),
    ])
    expect(notes.map(({ level }) => level)).toEqual(['debug'])
    expect(notes[0].text).toContain('controller.quorum.voters, inter.broker.listener.name, process.roles')
  })

  test('KAFKA_ADVERTISED_LISTENERS alone', async () => {
    const { listeners } = await of({}, { KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092' }, 'listeners=A://:1')
    expect(listeners).toEqual([listener('PLAINTEXT', '', 9092, ['kafka', 9092])])
  })

  test('what is stronger takes the place of all weaker listeners and addresses', async () => {
    const file = 'listeners=A://:1,B://:2\nadvertised.listeners=A://a:1,B://b:2'
    expect((await of({ port: '5' }, {}, file)).listeners).toEqual([listener('PLAINTEXT', 'localhost', 5)])
    expect((await of({}, { KAFKA_LISTENERS: 'C://:3' }, file)).listeners).toEqual([listener('C', '', 3)])
    expect((await of({ config: { listeners: 'D://h:4' } }, { SEGLOG_PORT: '3' }, file)).listeners).toEqual([
      listener('D', 'h', 4),
    ])
    const advertised = (await of({ advertise: 'b://other:9' }, {}, file)).listeners
    expect(advertised).toEqual([listener('A', '', 1), listener('B', '', 2, ['other', 9])])
  })

  test.each<[string, ServeFlags, Record<string, string>, RegExp]>([
    ['a port', { port: '99999' }, {}, /--port must be a port/],
    ['a port from the environment', {}, { SEGLOG_PORT: 'x' }, /SEGLOG_PORT must be a port/],
    ['host and port in one', { host: 'localhost:9092' }, {}, /--host must be a host name/],
    ['0.0.0.0 advertised', { advertise: '0.0.0.0:9092' }, {}, /--advertise: 0\.0\.0\.0 is nothing a client can/],
    ['nothing advertised', {}, { KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://:9092' }, /no address is nothing/],
    ['a name that is no listener', { advertise: 'X://a:1' }, {}, /the listeners are PLAINTEXT; X is none/],
    ['one address for two', { advertise: 'a' }, { KAFKA_LISTENERS: 'A://:1,B://:2' }, /NAME:\/\/HOST:PORT is needed/],
    ['a name twice', {}, { KAFKA_LISTENERS: 'A://:1,a://:2' }, /KAFKA_LISTENERS: A is there twice/],
    ['no name', {}, { KAFKA_LISTENERS: 'localhost:9092' }, /KAFKA_LISTENERS must be NAME:\/\/HOST:PORT/],
    ['no port', {}, { KAFKA_LISTENERS: 'A://localhost' }, /must be NAME:\/\/HOST:PORT/],
    ['an IPv6 address without brackets', {}, { KAFKA_LISTENERS: 'A://::1:9092' }, /in brackets/],
    ['two ways at once', { port: '1', config: { listeners: 'A://:1' } }, {}, /both say where to listen/],
    ['two addresses', { advertise: 'a', config: { 'advertised.listeners': 'A://a:1' } }, {}, /both say what clients/],
    ['two directories by two names', { data: 'a', config: { 'log.dirs': 'b' } }, {}, /say the same/],
    ['only a controller', {}, { KAFKA_LISTENERS: 'C://:1', KAFKA_CONTROLLER_LISTENER_NAMES: 'C' }, /for a controller/],
    ['the role of a controller', {}, { KAFKA_PROCESS_ROLES: 'controller' }, /leave this node out/],
    [
      'a protocol that does not exist',
      {},
      { KAFKA_LISTENERS: 'A://:1', KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'A:PLAIN' },
      /"PLAIN" of A/,
    ],
  ])('%s is refused', async (_, flags, environment, message) => {
    await expect(of(flags, environment)).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(message),
    })
  })

  test.each([
    ['TLS', { KAFKA_LISTENERS: 'SSL://:9093' }],
    ['SASL by its map', { KAFKA_LISTENERS: 'A://:1', KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'A:SASL_PLAINTEXT' }],
    ['an authorizer', { KAFKA_AUTHORIZER_CLASS_NAME: 'org.apache.kafka.metadata.authorizer.StandardAuthorizer' }],
    ['two directories', { KAFKA_LOG_DIRS: '/a,/b' }],
  ])('%s is not there yet', async (_, environment) => {
    await expect(of({}, environment)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })
})

describe('keys', () => {
  test("a file as Kafka ships it: what means nothing here is one warning, what is a cluster's one debug line", async () => {
    const file = `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
log.retention.hours=168
log.segment.bytes=1073741824
`
    const { data, listeners, config, notes } = await of({}, {}, file)
    expect(data).toBe('/tmp/kraft-combined-logs')
    expect(listeners).toEqual([listener('PLAINTEXT', '', 9092, ['localhost', 9092])])
    expect(config).toMatchObject({ 'node.id': '1', 'num.partitions': '1', 'log.retention.hours': '168' })
    const warnings = notes.filter(({ level }) => level === 'warn').map(({ text }) => text)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('num.io.threads, num.network.threads')
    expect(warnings[0]).not.toContain('process.roles')
  })

  test('a slip of the pen is an error that names the key, in a file, in SEGLOG_ and behind --config', async () => {
    const slip = { code: 'UNKNOWN_CONFIG', message: expect.stringContaining('did you mean num.partitions?') }
    await expect(of({}, {}, 'num.partition=3')).rejects.toMatchObject(slip)
    await expect(of({}, { SEGLOG_NUM_PARTITION: '3' })).rejects.toMatchObject(slip)
    await expect(of({ config: { num_partitions: '3' } })).rejects.toMatchObject(slip)
    await expect(of({ config: { 'some.plugin.url': '3' } })).rejects.toMatchObject({ code: 'UNKNOWN_CONFIG' })
  })

  test("KAFKA_ variables of an application's own are left alone", async () => {
    const { config, notes } = await of({}, { KAFKA_BROKERS: 'x:9092', KAFKA_NUM_PARTITION: '3' })
    expect(config).toEqual({})
    expect(notes).toHaveLength(1)
    expect(notes[0]).toMatchObject({ level: 'warn' })
    expect(notes[0].text).toMatch(
      /KAFKA_BROKERS \(brokers.*\), KAFKA_NUM_PARTITION \(num\.partition; did you mean num\.partitions\?\)/,
    )
  })

  test("a plugin's key in a file is a warning", async () => {
    const { notes } = await of({}, {}, 'some.plugin.url=http://x')
    expect(notes).toEqual([{ level: 'warn', text: expect.stringContaining('server.properties:1 (some.plugin.url)') }])
  })

  test('a value outside its rule names where it stands', async () => {
    await expect(of({}, { KAFKA_NUM_PARTITIONS: 'many' })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('(KAFKA_NUM_PARTITIONS) must be a whole number'),
    })
    await expect(of({}, {}, '\nlog.segment.bytes=x')).rejects.toMatchObject({
      message: expect.stringContaining('(server.properties:2)'),
    })
  })

  test('several voters: the others would not hear of it', async () => {
    const { notes } = await of({}, { KAFKA_CONTROLLER_QUORUM_VOTERS: '1@a:9093,2@b:9093' })
    expect(notes).toContainEqual({ level: 'warn', text: expect.stringContaining('names 2 nodes') })
  })

  test('of older Kafkas are taken without effect', async () => {
    for (const key of formerBrokerKeys) expect(brokerConfigs).not.toHaveProperty([key])
    const { config, notes } = await of({}, { KAFKA_LOG_MESSAGE_FORMAT_VERSION: '3.0' })
    expect(config).toEqual({})
    expect(notes).toEqual([{ level: 'warn', text: expect.stringContaining('log.message.format.version') }])
  })
})
