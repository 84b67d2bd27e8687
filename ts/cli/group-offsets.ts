import type { OffsetReset, TopicPart } from '../client/admin-group-options.js'
import { SeglogError } from '../errors/seglog-error.js'
import { type ResetFlags, resetTarget } from './offset-reset.js'
import { type TargetOptions, withLog } from './target.js'
import { printJson, printTable, say, wantsJson } from './terminal.js'

interface ResetOptions extends TargetOptions, ResetFlags {
  topic?: TopicPart[]
  allTopics?: boolean
  execute?: boolean
}

/** `seglog group reset-offsets`: shows what would change, and changes it only when told to. */
export function resetOffsets(groupId: string, options: ResetOptions): Promise<void> {
  const { topic: topics, allTopics = false, execute = false } = options
  if (topics === undefined && !allTopics)
    throw new SeglogError('INVALID_OPTION', 'which offsets: --topic T, repeatable, or --all-topics', { key: 'topic' })
  const target = resetTarget(options)
  return withLog(options, execute ? 'write' : 'read', async (log) => {
    const resets = await log.admin().resetOffsets({ groupId, topics, ...target, execute })
    if (wantsJson(options)) for (const reset of resets) printJson({ groupId, ...reset, executed: execute })
    else printResets(resets)
    say(execute ? `set the offsets of ${groupId}` : 'nothing was set; say --execute to do it')
  })
}

function printResets(resets: readonly OffsetReset[]): void {
  printTable(
    [
      { title: 'TOPIC', text: ({ topic }) => topic },
      { title: 'PARTITION', text: ({ partition }) => partition, align: 'right' },
      { title: 'COMMITTED', text: ({ committed }) => committed ?? '-', align: 'right' },
      { title: 'NEW', text: ({ offset }) => offset, align: 'right' },
    ],
    resets,
  )
}

/** `seglog group delete-offsets`: what the group has committed of some topics is forgotten. */
export function deleteOffsets(groupId: string, options: TargetOptions & { topic: TopicPart[] }): Promise<void> {
  const { topic: topics } = options
  return withLog(options, 'write', async (log) => {
    await log.admin().deleteOffsets({ groupId, topics })
    if (wantsJson(options)) for (const part of topics) printJson({ groupId, ...part, deleted: true })
    else say(`deleted offsets of ${groupId} in ${topics.map(({ topic }) => topic).join(', ')}`)
  })
}
