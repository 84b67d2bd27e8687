import type { ConfigEntry, PartitionDescription, PartitionOffsets } from '../client/admin-options.js'
import { type TargetOptions, withLog } from './target.js'
import { printJson, printTable, styled, terminal, wantsJson } from './terminal.js'

type NamedConfig = [string, ConfigEntry]

/** `seglog topic describe`: partitions with their offsets and replicas, and the configs that were set. */
export function describe(topic: string, options: TargetOptions): Promise<void> {
  return withLog(options, 'read', async (log) => {
    const admin = log.admin()
    const { topicId, partitions } = await admin.describeTopic(topic)
    const offsets = new Map((await admin.listOffsets({ topic })).map((one) => [one.partition, one]))
    const configs = Object.entries(await admin.describeConfigs({ topic })).filter(([, { isDefault }]) => !isDefault)
    const rows = partitions.map((one) => ({ ...one, ...rangeOf(offsets.get(one.partition)) }))
    if (wantsJson(options)) {
      printJson({
        topic,
        topicId,
        partitions: rows.map(({ partition, earliest, latest, leader, replicas, isr }) => ({
          ...{ partition, earliest, latest, leader, replicas, isr },
        })),
        configs: Object.fromEntries(configs.map(([name, { value }]) => [name, value])),
      })
      return
    }
    terminal.stdout.write(`${styled('bold', topic)}  ${styled('dim', topicId)}\n\n`)
    printPartitions(rows)
    if (configs.length > 0) terminal.stdout.write('\n')
    if (configs.length > 0) printConfigs(configs)
  })
}

/** `seglog topic config`: all configs, those of the topic's own or not. */
export function configs(topic: string, options: TargetOptions & { setOnly?: boolean }): Promise<void> {
  return withLog(options, 'read', async (log) => {
    const found = Object.entries(await log.admin().describeConfigs({ topic }))
    const shown = found.filter(([, { source }]) => options.setOnly !== true || source === 'topic')
    shown.sort(([a], [b]) => (a < b ? -1 : 1))
    if (wantsJson(options)) for (const [name, config] of shown) printJson({ topic, config: name, ...config })
    else printConfigs(shown)
  })
}

interface Range {
  earliest: bigint
  latest: bigint
}

/** A partition made between two questions has no offsets yet. */
function rangeOf(offsets: PartitionOffsets | undefined): Range {
  return { earliest: offsets?.earliest ?? 0n, latest: offsets?.latest ?? 0n }
}

function printPartitions(rows: readonly (PartitionDescription & Range)[]): void {
  const isAlone = rows.every(({ replicas }) => replicas.length <= 1)
  printTable(
    [
      { title: 'PARTITION', text: ({ partition }) => partition, align: 'right' },
      { title: 'START', text: ({ earliest }) => earliest, align: 'right' },
      { title: 'END', text: ({ latest }) => latest, align: 'right' },
      { title: 'RECORDS', text: ({ earliest, latest }) => latest - earliest, align: 'right' },
      ...(isAlone
        ? []
        : [
            { title: 'LEADER', text: ({ leader }: PartitionDescription) => leader, align: 'right' as const },
            { title: 'REPLICAS', text: ({ replicas }: PartitionDescription) => replicas.join(',') },
            { title: 'IN SYNC', text: ({ isr }: PartitionDescription) => isr.join(',') },
          ]),
    ],
    rows,
  )
}

function printConfigs(configs: readonly NamedConfig[]): void {
  printTable(
    [
      { title: 'CONFIG', text: ([name]) => name },
      { title: 'VALUE', text: ([, { value }]) => value ?? '' },
      { title: 'SET BY', text: ([, { source }]) => source },
    ],
    configs,
  )
}
