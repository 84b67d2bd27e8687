import { join } from 'node:path'
import { expect, test } from 'vitest'
import { brokerConfigs } from '../../ts/broker/broker-config-table.js'
import type { BrokerConfigDef, ConfigDef } from '../../ts/broker/config-def.js'
import { groupConfigs } from '../../ts/broker/group-config-table.js'
import { topicConfigs } from '../../ts/broker/topic-config-table.js'
import { configType } from '../../ts/protocol/messages/32-describe-configs.js'

const root = join(__dirname, '..', '..')
const testsOnly = 'internal.segment.bytes'

function table(header: string, rows: string[][]): string {
  const cells = header.split('|')
  return [cells, cells.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

const typeNames = new Map<number, string>(Object.entries(configType).map(([name, type]) => [type, name]))
const code = (text: string) => (text === '' ? '' : `\`${text}\``)
const defaultOf = ({ default: value }: ConfigDef) => (value === null ? 'not set' : value === '' ? 'empty' : code(value))
/** The rule, where it says more than the type. */
const rule = ({ expected, type }: ConfigDef) =>
  expected === 'text' || expected === 'a comma-separated list' ? typeNames.get(type)! : expected

const units: Readonly<Record<number, string>> = { 60000: ' (minutes)', 3600000: ' (hours)' }

function topicRows(used: boolean): string[][] {
  return Object.entries(topicConfigs)
    .filter(([key, def]) => def.used === used && key !== testsOnly)
    .map(([key, def]) => [
      code(key),
      defaultOf(def),
      rule(def),
      def.synonyms.map((synonym) => code(synonym.key) + (units[synonym.factor] ?? '')).join(', '),
      def.doc,
    ])
}

function groupRows(): string[][] {
  return Object.entries(groupConfigs).map(([key, def]) => [
    code(key),
    defaultOf(def),
    rule(def),
    def.synonyms.map((synonym) => code(synonym.key)).join(', '),
    def.doc,
  ])
}

const ofTopics = new Set(Object.values(topicConfigs).flatMap(({ synonyms }) => synonyms.map(({ key }) => key)))
const own: [string, BrokerConfigDef][] = Object.entries(brokerConfigs)
  .filter(([key]) => !ofTopics.has(key))
  .sort(([a], [b]) => (a < b ? -1 : 1))

function brokerRows(): string[][] {
  const when = { 'read-only': 'at the start', 'per-broker': 'for one broker', 'cluster-wide': 'at any time' } as const
  return own
    .filter(([, def]) => def.used)
    .map(([key, def]) => [code(key), defaultOf(def), rule(def), when[def.update], def.doc])
}

/** Keys without effect under the words that say why. */
function uselessKeys(): string {
  const byReason = new Map<string, string[]>()
  for (const [key, def] of own.filter(([, { used }]) => !used)) {
    byReason.set(def.doc, [...(byReason.get(def.doc) ?? []), key])
  }
  return [...byReason].map(([doc, keys]) => `**${doc}** ${keys.map(code).join(' ')}`).join('\n\n')
}

/** The page, from the tables that the code itself uses. `vitest -u` writes it. */
function configurationPage(): string {
  return `# Configuration

Configs have Kafka's names, types, defaults and rules (version 4.3); what differs is said. A key that does not exist is
\`UNKNOWN_CONFIG\` naming the nearest one, a value outside its rule \`INVALID_CONFIG\`.

- **Topics**: \`configs\` of CreateTopics, \`config\` of \`admin.createTopic()\`, later \`kafka-configs\` or \`admin.alterConfigs()\`. Changes
  apply at once to partitions in use (segment sizes from the next segment on).
- **The broker at its start**: \`seglog serve --config key=value\`, \`SEGLOG_KEY\`, \`KAFKA_KEY\` as in the Apache image, or a file as
  Kafka's \`server.properties\` with \`--config-file\`, in this order of rank; in a process, the option \`config\`.
- **The broker while it runs**: \`kafka-configs --entity-type brokers\`, for one broker (\`--entity-name 1\`) or for all of them
  (\`--entity-default\`). They are kept in \`seglog.json\` and rank above those of the start, the single broker's above those of all.

A topic's own value ranks above everything; without one the broker's key beside it counts, and else the default.

This page is made from the tables in the code; a test compares it.

## Topics

${table('key|default|value|of the broker|what it does', topicRows(true))}

Taken and kept for Kafka's tools, without effect so far:

${table('key|default|value|of the broker|what it means', topicRows(false))}

## The broker

The keys that set defaults of topics stand above. These are its own:

${table('key|default|value|may change|what it does', brokerRows())}

## Groups

Of the consumer protocol (KIP-848), for a group by its id, which need not exist yet: \`kafka-configs --entity-type groups\`. They are
kept in \`seglog.json\` and rank above the broker's.

${table('key|default|value|of the broker|what it does', groupRows())}

## Keys of Kafka without effect

They are taken, so that a configuration written for Kafka need not be cut down, and shown with Kafka's defaults.

${uselessKeys()}
`
}

test('docs/configuration.md says what the tables say', async () => {
  await expect(configurationPage()).toMatchFileSnapshot(join(root, 'docs', 'configuration.md'))
})
