import type { GroupDescription, GroupMemberDescription } from '../client/admin-group-options.js'
import { printLag } from './lag-table.js'
import { type TargetOptions, withLog } from './target.js'
import { plural, printJson, printTable, styled, terminal, wantsJson } from './terminal.js'

/** `seglog group describe`: who is in a group, and how far it is behind in each partition. */
export function describe(groupId: string, options: TargetOptions): Promise<void> {
  return withLog(options, 'read', async (log) => {
    const admin = log.admin()
    const group = await admin.describeGroup(groupId)
    const partitions = await admin.lag(groupId)
    if (wantsJson(options)) {
      printJson({ ...group, partitions: partitions.map(({ groupId: _, ...rest }) => rest) })
      return
    }
    terminal.stdout.write(`${headline(group)}\n`)
    if (group.members.length > 0) terminal.stdout.write('\n')
    if (group.members.length > 0) printMembers(group.members)
    if (partitions.length > 0) terminal.stdout.write('\n')
    if (partitions.length > 0) printLag(partitions)
  })
}

function headline({ groupId, state, assignor, members }: GroupDescription): string {
  const parts = [state, plural(members.length, 'member'), ...(assignor ? [assignor] : [])]
  return `${styled('bold', groupId)}  ${styled('dim', parts.join(', '))}`
}

function printMembers(members: readonly GroupMemberDescription[]): void {
  printTable(
    [
      { title: 'MEMBER', text: ({ groupInstanceId, memberId }) => groupInstanceId ?? memberId },
      { title: 'CLIENT', text: ({ clientId }) => clientId },
      { title: 'HOST', text: ({ clientHost }) => clientHost.replace(/^\//, '') },
      { title: 'HAS', text: ({ assignment }) => shares(assignment) },
    ],
    members,
  )
}

/** Partitions by topic, as `orders:0,1 visits:2`. */
function shares(assignment: GroupMemberDescription['assignment']): string {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of assignment) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return (
    [...topics].map(([topic, partitions]) => `${topic}:${partitions.sort((a, b) => a - b).join(',')}`).join(' ') || '-'
  )
}
