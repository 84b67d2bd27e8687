import type { Command } from 'commander'
import type { ConfigEntry, PartitionOffsets } from '../client/admin-options.js'
import { open } from '../open.js'
import { type DataOptions, keyValues, wholeNumber, withData, words } from './arguments.js'
import { printJson, printTable, say, styled, terminal, wantsJson } from './terminal.js'

/** `seglog topic ...`: what exists, and its configs. */
export function register(program: Command): void {
  const topic = program.command('topic').description('Create, list, describe, alter and delete topics.')
  withData(topic.command('create <topic>'))
    .description('create a topic')
    .option('--partitions <n>', 'number of partitions', wholeNumber(1, 0x7fffffff))
    .option('--config <key=value>', 'a topic config by its Kafka name; repeatable', keyValues)
    .option('--if-not-exists', 'an existing topic is no error')
    .action(create)
  withData(topic.command('list')).description('list the topics').option('--internal', 'internal ones too').action(list)
  withData(topic.command('describe <topic>')).description('partitions, offsets and configs of a topic').action(describe)
  withData(topic.command('alter <topic>'))
    .description('add partitions, set and reset configs')
    .option('--partitions <n>', 'new number of partitions', wholeNumber(1, 0x7fffffff))
    .option('--config <key=value>', 'set a config; repeatable', keyValues)
    .option('--reset <key>', 'reset a config to its default; repeatable', words)
    .action(alter)
  withData(topic.command('delete <topic>'))
    .description('delete a topic and its records')
    .option('--if-exists', 'a missing topic is no error')
    .action(remove)
}

interface CreateOptions extends DataOptions {
  partitions?: number
  config?: Record<string, string>
  ifNotExists?: boolean
}

async function create(topic: string, options: CreateOptions): Promise<void> {
  const { partitions, config, ifNotExists } = options
  const log = await open(options.data)
  try {
    const created = await log.admin().createTopic({ topic, partitions, config, ifNotExists })
    if (wantsJson(options)) printJson(created)
    else
      say(
        `${created.created ? 'created' : 'found'} ${topic} with ${created.partitions} partitions (id ${created.topicId})`,
      )
  } finally {
    await log.close()
  }
}

async function list(options: DataOptions & { internal?: boolean }): Promise<void> {
  const log = await open(options.data, { readOnly: true })
  try {
    const topics = await log.admin().describeTopics()
    const shown = topics.filter(({ isInternal }) => !isInternal || options.internal === true)
    const rows = shown.map(({ topic, topicId, partitions }) => ({ topic, topicId, partitions: partitions.length }))
    if (wantsJson(options)) {
      for (const row of rows) printJson(row)
      return
    }
    printTable(
      [
        { title: 'TOPIC', text: ({ topic }) => topic },
        { title: 'PARTITIONS', text: ({ partitions }) => partitions, align: 'right' },
        { title: 'ID', text: ({ topicId }) => topicId },
      ],
      rows,
    )
  } finally {
    await log.close()
  }
}

async function describe(topic: string, options: DataOptions): Promise<void> {
  const log = await open(options.data, { readOnly: true })
  try {
    const admin = log.admin()
    const { topicId } = await admin.describeTopic(topic)
    const offsets = await admin.listOffsets({ topic })
    const configs = await admin.describeConfigs({ topic })
    const set = Object.entries(configs).filter(([, { isDefault }]) => !isDefault)
    if (wantsJson(options)) {
      const partitions = offsets.map(({ partition, earliest, latest }) => ({ partition, earliest, latest }))
      printJson({
        topic,
        topicId,
        partitions,
        configs: Object.fromEntries(set.map(([name, { value }]) => [name, value])),
      })
    } else printDescription(topic, topicId, offsets, set)
  } finally {
    await log.close()
  }
}

function printDescription(
  topic: string,
  topicId: string,
  offsets: PartitionOffsets[],
  set: [string, ConfigEntry][],
): void {
  terminal.stdout.write(`${styled('bold', topic)}  ${styled('dim', topicId)}\n\n`)
  printTable(
    [
      { title: 'PARTITION', text: ({ partition }) => partition, align: 'right' },
      { title: 'START', text: ({ earliest }) => earliest, align: 'right' },
      { title: 'END', text: ({ latest }) => latest, align: 'right' },
      { title: 'RECORDS', text: ({ earliest, latest }) => latest - earliest, align: 'right' },
    ],
    offsets,
  )
  if (set.length === 0) return
  terminal.stdout.write('\n')
  printTable(
    [
      { title: 'CONFIG', text: ([name]) => name },
      { title: 'VALUE', text: ([, { value }]) => value ?? '' },
      { title: 'SET BY', text: ([, { source }]) => source },
    ],
    set,
  )
}

interface AlterOptions extends DataOptions {
  partitions?: number
  config?: Record<string, string>
  reset?: string[]
}

async function alter(topic: string, options: AlterOptions, command: Command): Promise<void> {
  const { partitions, config = {}, reset = [] } = options
  const isConfig = Object.keys(config).length + reset.length > 0
  if (partitions === undefined && !isConfig)
    command.error('error: nothing to alter: give --partitions, --config or --reset')
  const log = await open(options.data)
  try {
    const admin = log.admin()
    if (isConfig) await admin.alterConfigs({ topic, set: config, reset })
    if (partitions !== undefined) await admin.createPartitions({ topic, count: partitions })
    if (wantsJson(options)) printJson({ topic, partitions, set: config, reset })
    else say(`altered ${topic}`)
  } finally {
    await log.close()
  }
}

async function remove(topic: string, options: DataOptions & { ifExists?: boolean }): Promise<void> {
  const log = await open(options.data)
  try {
    await log.admin().deleteTopic({ topic, ifExists: options.ifExists })
    if (wantsJson(options)) printJson({ topic, deleted: true })
    else say(`deleted ${topic}`)
  } finally {
    await log.close()
  }
}
