import { expect, test } from 'vitest'
import { eventually, type ToolBench } from './tool-suite.js'

/** kafka-configs. */
export function configTools(bench: () => ToolBench): void {
  const configs = (...args: string[]) => bench().tools.output('ConfigCommand', args)
  const refused = (...args: string[]) => bench().tools.complaint('ConfigCommand', args)

  /** The answer to a record of so many bytes. */
  const write = (topic: string, bytes: number) => {
    const { broker, client } = bench()
    const records = [{ partition: 0, key: 'key', value: 'x'.repeat(bytes) }]
    return client.produce({ bootstrap: broker.bootstrap, topic, records }).then(
      () => 'taken',
      (error: Error) => (/RecordTooLarge/.test(error.message) ? 'too large' : error.message),
    )
  }
  const becomes = (topic: string, bytes: number, answer: string) =>
    eventually(async () => expect(await write(topic, bytes)).toBe(answer))

  test("ConfigCommand: a topic's configs are set, in force, shown and removed", async () => {
    const { createTopic } = bench()
    const topic = await createTopic('configured', 1)
    const of = ['--entity-type', 'topics', '--entity-name', topic]
    expect(await configs('--describe', ...of)).toBe(`Dynamic configs for topic ${topic} are:\n`)
    expect(await write(topic, 5000)).toBe('taken')

    const given = 'max.message.bytes=2000,cleanup.policy=[compact,delete]'
    expect(await configs('--alter', ...of, '--add-config', given)).toContain(
      `Completed updating config for topic ${topic}`,
    )
    await becomes(topic, 5000, 'too large')
    const described = await configs('--describe', '--topic', topic)
    expect(described).toMatch(
      /^ {2}max\.message\.bytes=2000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:max\.message\.bytes=2000, DEFAULT_CONFIG:message\.max\.bytes=1048588\}$/m,
    )
    expect(described).toMatch(/^ {2}cleanup\.policy=compact,delete /m)
    const whole = await configs('--describe', '--topic', topic, '--all')
    expect(whole).toMatch(/^ {2}retention\.ms=604800000 sensitive=false/m)
    expect(await bench().tools.output('TopicCommand', ['--describe', '--topic', topic])).toContain(
      'max.message.bytes=2000',
    )

    await configs('--alter', ...of, '--delete-config', 'max.message.bytes,cleanup.policy')
    await becomes(topic, 5000, 'taken')
    expect(await configs('--describe', ...of)).toBe(`Dynamic configs for topic ${topic} are:\n`)

    expect(await refused('--alter', ...of, '--add-config', 'retention.ms=soon')).toContain(
      'InvalidConfigurationException',
    )
    expect(await refused('--alter', ...of, '--add-config', 'nothing=1')).toContain('InvalidConfigurationException')
    const nowhere = await refused('--alter', '--topic', 'nowhere', '--add-config', 'retention.ms=1')
    expect(nowhere).toContain('UnknownTopicOrPartitionException')
    expect(await configs('--describe', ...of)).toBe(`Dynamic configs for topic ${topic} are:\n`)
  })

  test("ConfigCommand: a running broker's configs are set for it and for all, in force, shown and removed", async () => {
    const { createTopic } = bench()
    const topic = await createTopic('governed', 1)
    const one = ['--entity-type', 'brokers', '--entity-name', '1']
    const all = ['--entity-type', 'brokers', '--entity-default']
    const shown = async (...of: string[]) => configs('--describe', ...of)
    await configs('--alter', ...all, '--add-config', 'message.max.bytes=3000')
    await becomes(topic, 5000, 'too large')
    expect(await shown(...all)).toMatch(
      / {2}message\.max\.bytes=3000 .*\{DYNAMIC_DEFAULT_BROKER_CONFIG:message\.max\.bytes=3000\}/,
    )

    await configs('--alter', ...one, '--add-config', 'message.max.bytes=9000,log.retention.ms=100000000')
    await becomes(topic, 5000, 'taken')
    expect(await write(topic, 15_000)).toBe('too large')
    const described = await shown(...one)
    expect(described).toMatch(
      /^ {2}message\.max\.bytes=9000 .*\{DYNAMIC_BROKER_CONFIG:message\.max\.bytes=9000, DYNAMIC_DEFAULT_BROKER_CONFIG:message\.max\.bytes=3000, DEFAULT_CONFIG:message\.max\.bytes=1048588\}$/m,
    )
    expect(described).toMatch(/^ {2}log\.retention\.ms=100000000 /m)
    expect(described).not.toMatch(/^ {2}log\.retention\.(minutes|hours)=/m)

    expect(await refused('--alter', ...one, '--add-config', 'log.dirs=/elsewhere')).toContain('InvalidRequestException')
    expect(await refused('--alter', ...one, '--add-config', 'message.max.bytes=many')).toMatch(/many/)

    await configs('--alter', ...one, '--delete-config', 'message.max.bytes,log.retention.ms')
    await becomes(topic, 5000, 'too large')
    await configs('--alter', ...all, '--delete-config', 'message.max.bytes')
    await becomes(topic, 5000, 'taken')
    await eventually(async () => expect(await shown(...one)).not.toMatch(/message\.max|log\.retention/))
    expect(await shown(...one, '--all')).toMatch(/^ {2}message\.max\.bytes=1048588 /m)
  })
}
