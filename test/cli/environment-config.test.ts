import { describe, expect, test } from 'vitest'
import { clusterIdOf, kafkaEnvironment, keyOfVariable, seglogEnvironment } from '../../ts/cli/environment-config.js'

const entriesOf = (entries: ReadonlyMap<string, { value: string }>) =>
  Object.fromEntries([...entries].map(([key, { value }]) => [key, value]))

describe("the Apache image's rules", () => {
  test.each([
    ['VALID_PROPERTY', 'valid.property'],
    ['VALID___PROPERTY__ALL_CASES', 'valid-property_all.cases'],
    ['A____B', 'a-.b'],
    ['A_____B', 'a-_b'],
    ['A______B', 'a--b'],
  ])('%s is %s', (name, key) => {
    expect(keyOfVariable(name)).toBe(key)
  })

  test('what is about the JVM or the image is no config; nor is an empty variable', () => {
    const { entries, unknown } = kafkaEnvironment({
      KAFKA_NODE_ID: '7',
      KAFKA_KAFKA_METRICS_REPORTERS: 'x',
      KAFKA_HEAP_OPTS: '-Xmx1g',
      KAFKA_VERSION: '4.3.1',
      KAFKA_LOG4J_ROOT_LOGLEVEL: 'WARN',
      KAFKA_JMX_PORT: '9999',
      KAFKA_LOG_DIRS: '',
      KAFKA_: 'x',
      MY_KAFKA_NODE_ID: '8',
      CLUSTER_ID: 'x',
    })
    expect(entriesOf(entries)).toEqual({ 'node.id': '7', 'kafka.metrics.reporters': 'x' })
    expect(entries.get('node.id')?.where).toBe('KAFKA_NODE_ID')
    expect(unknown).toBe('warning')
  })

  test('CLUSTER_ID', () => {
    expect(clusterIdOf({ CLUSTER_ID: '4L6g3nShT-eMCtK--X86sw' })).toBe('4L6g3nShT-eMCtK--X86sw')
    expect([clusterIdOf({}), clusterIdOf({ CLUSTER_ID: '' })]).toEqual([undefined, undefined])
    expect(() => clusterIdOf({ CLUSTER_ID: 'a\nnode.id=7' })).toThrow(/CLUSTER_ID must be/)
  })

  test('KAFKA_ADVERTISED_LISTENERS alone listens on every address', () => {
    const { entries } = kafkaEnvironment({
      KAFKA_ADVERTISED_LISTENERS: 'INSIDE://kafka:29092,OUTSIDE://localhost:9092',
    })
    expect(entriesOf(entries)).toEqual({
      'advertised.listeners': 'INSIDE://kafka:29092,OUTSIDE://localhost:9092',
      listeners: 'INSIDE://:29092,OUTSIDE://:9092',
    })
  })
})

test('SEGLOG_ variables are options or keys', () => {
  const layer = seglogEnvironment({
    SEGLOG_DATA: '/var/lib/seglog',
    SEGLOG_HOST: '::',
    SEGLOG_PORT: '9093',
    SEGLOG_ADVERTISE: 'me:1',
    SEGLOG_NUM_PARTITIONS: '3',
    SEGLOG_NATIVE: '/x/seglog.node',
    SEGLOG_CONFIG_FILE: 'x',
    SEGLOG_LOG_LEVEL: 'debug',
  })
  expect(entriesOf(layer.entries)).toEqual({ 'log.dirs': '/var/lib/seglog', 'num.partitions': '3' })
  expect([layer.host, layer.port, layer.advertise]).toEqual([
    { value: '::', where: 'SEGLOG_HOST' },
    { value: '9093', where: 'SEGLOG_PORT' },
    { value: 'me:1', where: 'SEGLOG_ADVERTISE' },
  ])
})
