import { type Command, Option } from 'commander'
import { withTarget } from './arguments.js'
import { describe } from './group-describe.js'
import { deleteOffsets, resetOffsets } from './group-offsets.js'
import { dateTime, offset, signedOffset, topicParts } from './offset-reset.js'
import { type TargetOptions, withLog } from './target.js'
import { printJson, printTable, say, wantsJson } from './terminal.js'

/** `seglog group ...`: consumer groups and their offsets. */
export function register(program: Command): void {
  const group = program.command('group').description('List and describe consumer groups, set and delete their offsets.')
  withTarget(group.command('list')).description('list the groups').action(list)
  withTarget(group.command('describe <group>'))
    .description('members of a group, its offsets, and how far it is behind')
    .action(describe)
  withTarget(group.command('reset-offsets <group>'))
    .description('show where the offsets of a group without members would go; --execute sets them')
    .option(
      '--topic <topic[:partitions]>',
      'of this topic, or of some of its partitions (T:0,1); repeatable',
      topicParts,
    )
    .addOption(new Option('--all-topics', 'of every topic that the group has offsets of').conflicts('topic'))
    .option('--to-earliest', 'to the first record')
    .option('--to-latest', 'behind the last record')
    .option('--to-offset <offset>', 'to this offset, or the nearest that there is', offset)
    .option(
      '--to-datetime <date>',
      'to the first record from a time on: 2025-01-31T12:30:00, UTC unless it has a zone',
      dateTime,
    )
    .option('--to-timestamp <ms>', 'the same, in milliseconds', (text) => Number(offset(text)))
    .option('--shift-by <n>', 'so many records on, or back by -N', signedOffset)
    .addOption(new Option('--dry-run', 'only show (the default)').conflicts('execute'))
    .option('--execute', 'set them')
    .action(resetOffsets)
  withTarget(group.command('delete-offsets <group>'))
    .description('forget the offsets of a group in topics that no member reads')
    .requiredOption(
      '--topic <topic[:partitions]>',
      'of this topic, or of some of its partitions; repeatable',
      topicParts,
    )
    .action(deleteOffsets)
  withTarget(group.command('delete <groups...>'))
    .description('delete groups without members, offsets included')
    .option('--if-exists', 'a missing group is no error')
    .action(remove)
}

function list(options: TargetOptions): Promise<void> {
  return withLog(options, 'read', async (log) => {
    const groups = await log.admin().listGroups()
    if (wantsJson(options)) {
      for (const group of groups) printJson(group)
      return
    }
    printTable(
      [
        { title: 'GROUP', text: ({ groupId }) => groupId },
        { title: 'STATE', text: ({ state }) => state },
        { title: 'PROTOCOL', text: ({ protocolType }) => protocolType || '-' },
      ],
      groups,
    )
  })
}

function remove(groups: string[], options: TargetOptions & { ifExists?: boolean }): Promise<void> {
  return withLog(options, 'write', async (log) => {
    await log.admin().deleteGroups({ groupIds: groups, ifExists: options.ifExists })
    for (const groupId of groups) {
      if (wantsJson(options)) printJson({ groupId, deleted: true })
      else say(`deleted ${groupId}`)
    }
  })
}
