import { spawnSync } from 'node:child_process'
import { refereeIsAsked } from '../brokers/broker-under-test.js'
import type { ProgramClient } from '../clients/program-client.js'

let made = 0

/** A topic name no other test uses. */
export function newTopic(purpose: string): string {
  made += 1
  return `${purpose}-${process.pid}-${made}`
}

/** Creates a topic by the client's own admin API. */
export async function createTopic(
  client: ProgramClient,
  bootstrap: string,
  purpose: string,
  partitions: number,
  configs: Record<string, string> = {},
): Promise<string> {
  const topic = newTopic(purpose)
  const answer = await client.admin(bootstrap, 'createTopic', { topic, partitions, configs })
  // Kafka may answer before each of its parts knows the topic.
  const isReferees = refereeIsAsked && (!('error' in answer) || /UNKNOWN_TOPIC/.test(answer.error))
  if (isReferees) await new Promise((resolve) => setTimeout(resolve, 1000))
  else if ('error' in answer) throw new Error(`creating ${topic}: ${answer.error}`)
  return topic
}

/** Whether a program can be started. */
export function isHere(program: string, ...args: string[]): boolean {
  return spawnSync(program, args).status === 0
}
