import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { PartitionLag } from '../client/admin-group-options.js'
import { withTarget } from './arguments.js'
import { untilInterrupted } from './interruption.js'
import { byTopic, partitionLines, topicLines } from './lag-table.js'
import { Redraw } from './redraw.js'
import { type TargetOptions, targetOf, withLog } from './target.js'
import { styled, terminal, toJson, wantsJson, writeOut } from './terminal.js'

/** `seglog lag`: how far groups are behind. */
export function register(program: Command): void {
  withTarget(program.command('lag [group]'))
    .description('How far groups are behind: by topic, or each partition of one group.')
    .option('--watch [seconds]', 'again and again, every 2 seconds or as given', seconds)
    .action(lag)
}

interface LagOptions extends TargetOptions {
  watch?: number | true
}

const defaultWatchSeconds = 2

function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d*\.?\d+$/.test(text) || value < 0.1 || value > 86_400)
    throw new InvalidArgumentError('it is a number of seconds, 0.1 to 86400.')
  return value
}

async function lag(groupId: string | undefined, options: LagOptions): Promise<void> {
  if (options.watch === undefined)
    return withLog(options, 'read', async (log) => print(await log.admin().lag(groupId), groupId, options))
  const everyMs = (options.watch === true ? defaultWatchSeconds : options.watch) * 1000
  const redraw = wantsJson(options) ? null : new Redraw(terminal.stdout)
  await untilInterrupted(async (signal) => {
    const show = async (partitions: PartitionLag[]) => {
      const time = new Date()
      if (redraw === null) await printJsonLines(partitions, groupId, time)
      else redraw.show([styled('dim', time.toLocaleTimeString()), ...linesOf(partitions, groupId)])
      await sleep(everyMs, undefined, { signal })
    }
    // A directory is read as it was when it was opened; a connection to brokers is kept.
    if (targetOf(options).kind === 'directory') {
      for (;;) await show(await withLog(options, 'read', (log) => log.admin().lag(groupId)))
    }
    await withLog(options, 'read', async (log) => {
      for (;;) await show(await log.admin().lag(groupId))
    })
  })
}

function print(partitions: readonly PartitionLag[], groupId: string | undefined, options: LagOptions): Promise<void> {
  if (wantsJson(options)) return printJsonLines(partitions, groupId)
  return writeOut(`${linesOf(partitions, groupId).join('\n')}\n`)
}

function linesOf(partitions: readonly PartitionLag[], groupId: string | undefined): string[] {
  return groupId === undefined ? topicLines(byTopic(partitions)) : partitionLines(partitions)
}

/** One line for each partition of one group, or for each topic of all groups; `time` where the same come again. */
function printJsonLines(partitions: readonly PartitionLag[], groupId: string | undefined, time?: Date): Promise<void> {
  const rows: readonly object[] = groupId === undefined ? byTopic(partitions) : partitions
  return writeOut(
    rows.map((row) => `${toJson(time === undefined ? row : { time: time.toISOString(), ...row })}\n`).join(''),
  )
}
