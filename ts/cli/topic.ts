import type { Command } from 'commander'
import { keyValues, start, wholeNumber, withTarget, words } from './arguments.js'
import { type TargetOptions, withLog } from './target.js'
import { printJson, printTable, say, wantsJson } from './terminal.js'
import { configs, describe } from './topic-describe.js'
import { deleteRecords, offsets } from './topic-offsets.js'

const int32Max = 0x7fffffff

/** `seglog topic ...`: what exists, and its configs. */
export function register(program: Command): void {
  const topic = program.command('topic').description('Create, list, describe, alter and delete topics.')
  withTarget(topic.command('create <topic>'))
    .description('create a topic')
    .option('--partitions <n>', 'number of partitions', wholeNumber(1, int32Max))
    .option('--replication-factor <n>', 'replicas of each partition', wholeNumber(1, 0x7fff))
    .option('--config <key=value>', 'a topic config by its Kafka name; repeatable', keyValues)
    .option('--if-not-exists', 'an existing topic is no error')
    .action(create)
  withTarget(topic.command('list'))
    .description('list the topics')
    .option('--internal', 'internal ones too')
    .action(list)
  withTarget(topic.command('describe <topic>'))
    .description('partitions, offsets and configs of a topic')
    .action(describe)
  withTarget(topic.command('config <topic>'))
    .description('every config of a topic, where it comes from and what it means')
    .option('--set-only', 'only what was set for the topic')
    .action(configs)
  withTarget(topic.command('offsets <topic>'))
    .description('first and next offset of each partition, or the offset at a time')
    .option('--at <place>', 'start, end, or @TIMESTAMP (milliseconds or a date)', start)
    .action(offsets)
  withTarget(topic.command('alter <topic>'))
    .description('add partitions, set and reset configs')
    .option('--partitions <n>', 'new number of partitions', wholeNumber(1, int32Max))
    .option('--config <key=value>', 'set a config; repeatable', keyValues)
    .option('--reset <key>', 'reset a config to its default; repeatable', words)
    .action(alter)
  withTarget(topic.command('delete-records <topic>'))
    .description('delete the records before an offset')
    .requiredOption('--before <place>', 'an OFFSET, or end for all records', start)
    .option('--partition <n>', 'only in this partition', wholeNumber(0, int32Max))
    .action(deleteRecords)
  withTarget(topic.command('delete <topic>'))
    .description('delete a topic and its records')
    .option('--if-exists', 'a missing topic is no error')
    .action(remove)
}

interface CreateOptions extends TargetOptions {
  partitions?: number
  replicationFactor?: number
  config?: Record<string, string>
  ifNotExists?: boolean
}

function create(topic: string, options: CreateOptions): Promise<void> {
  const { partitions, replicationFactor, config, ifNotExists } = options
  return withLog(options, 'write', async (log) => {
    const created = await log.admin().createTopic({ topic, partitions, replicationFactor, config, ifNotExists })
    if (wantsJson(options)) printJson(created)
    else
      say(
        `${created.created ? 'created' : 'found'} ${topic} with ${created.partitions} partitions (id ${created.topicId})`,
      )
  })
}

function list(options: TargetOptions & { internal?: boolean }): Promise<void> {
  return withLog(options, 'read', async (log) => {
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
  })
}

interface AlterOptions extends TargetOptions {
  partitions?: number
  config?: Record<string, string>
  reset?: string[]
}

async function alter(topic: string, options: AlterOptions, command: Command): Promise<void> {
  const { partitions, config = {}, reset = [] } = options
  const isConfig = Object.keys(config).length + reset.length > 0
  if (partitions === undefined && !isConfig)
    command.error('error: nothing to alter: give --partitions, --config or --reset')
  await withLog(options, 'write', async (log) => {
    const admin = log.admin()
    if (isConfig) await admin.alterConfigs({ topic, set: config, reset })
    if (partitions !== undefined) await admin.createPartitions({ topic, count: partitions })
    if (wantsJson(options)) printJson({ topic, partitions, set: config, reset })
    else say(`altered ${topic}`)
  })
}

function remove(topic: string, options: TargetOptions & { ifExists?: boolean }): Promise<void> {
  return withLog(options, 'write', async (log) => {
    await log.admin().deleteTopic({ topic, ifExists: options.ifExists })
    if (wantsJson(options)) printJson({ topic, deleted: true })
    else say(`deleted ${topic}`)
  })
}
